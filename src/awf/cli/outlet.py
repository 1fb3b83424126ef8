"""Standard output and standard error, where what steps wrote and awf's own lines go past each other."""

from __future__ import annotations

import os
import sys

import click


class Outlet:
    """Steps' words pass unchanged, also their colours, whatever ``--no-color`` says of ours: who pipes them on wants them as
    they are. A line of ours, on standard error, never goes on in a line that a step has not ended, where both can be
    seen. Where something cannot be written, OSError is raised, or, if it ``lasts``, that is dropped."""

    def __init__(self, *, lasts: bool = False) -> None:
        self._lasts = lasts
        self._one_place: bool | None = None
        self._unended: set[bool] = set()

    def pass_on(self, text: str, *, err: bool) -> None:
        """What a step wrote."""
        if text:
            (self._unended.discard if text.endswith("\n") else self._unended.add)(err)
            self._write(text, err=err, color=True)

    def line(self, text: str) -> None:
        """A line of our own."""
        if self._one_place is None:
            self._one_place = _is_one_place()
        cut_into = {True, False} if self._one_place else {True}
        self._write(("\n" if self._unended & cut_into else "") + text + "\n", err=True)
        self._unended -= cut_into

    def _write(self, text: str, *, err: bool, color: bool | None = None) -> None:
        try:
            click.echo(text, nl=False, err=err, color=color)
        except OSError as error:
            if not self._lasts:
                raise
            self._drop(error, err=err)

    def _drop(self, error: OSError, *, err: bool) -> None:
        """Lead nowhere what cannot be written, for good: the record has it."""
        from awf.cli.unread import drop, drop_unread

        if isinstance(error, BrokenPipeError):
            return drop_unread()
        drop(sys.stderr if err else sys.stdout)
        if not err:
            self.line(
                f"awf: standard output cannot be written: {error.strerror}; `awf logs` shows what is left out"
            )
        return None


def _is_one_place() -> bool:
    """Whether both streams lead to the same terminal, pipe or file."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, AttributeError):
        return False
