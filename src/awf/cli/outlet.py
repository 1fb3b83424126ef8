"""Standard output and standard error, where what steps wrote and awf's own lines go past each other."""

from __future__ import annotations

import os
import sys

import click


class Outlet:
    """Steps' words pass unchanged, also their colours, whatever ``--no-color`` says of ours: who pipes them on wants them as
    they are. A line of ours, on standard error, never goes on in a line that a step has not ended, where both can be
    seen."""

    def __init__(self) -> None:
        self._one_place: bool | None = None
        self._unended: set[bool] = set()

    def pass_on(self, text: str, *, err: bool) -> None:
        """What a step wrote."""
        if text:
            (self._unended.discard if text.endswith("\n") else self._unended.add)(err)
            click.echo(text, nl=False, err=err, color=True)

    def line(self, text: str) -> None:
        """A line of our own."""
        if self._one_place is None:
            self._one_place = _is_one_place()
        cut_into = {True, False} if self._one_place else {True}
        click.echo(("\n" if self._unended & cut_into else "") + text, err=True)
        self._unended -= cut_into


def _is_one_place() -> bool:
    """Whether both streams lead to the same terminal, pipe or file."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, AttributeError):
        return False
