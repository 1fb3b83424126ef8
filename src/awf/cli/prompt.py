"""Questions to the person at the terminal while an event loop runs, and before one does."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

import click

from awf.cli.controls import visible

MENU = 9
"""So many choices are offered by number."""


def at_terminal() -> bool:
    """Can somebody be asked?"""
    return sys.stdin.isatty() and sys.stderr.isatty()


class Prompter:
    """Asks one question at a time. Cancelling ``ask`` takes the question back: it has been answered elsewhere, say."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._typed = b""
        self.closed = False

    async def ask(self, text: str, choices: Sequence[str] = ()) -> str | None:
        """What a person types, one of ``choices`` where there are any; None at the end of the input (Ctrl-D)."""
        async with self._one:
            for line in (text, *menu(choices)):
                click.echo(visible(line), err=True)
            while not self.closed:
                typed = await self._line()
                if typed is None:
                    self.closed = True
                    break
                if not choices:
                    return typed
                found = chosen(typed, choices)
                if found is not None:
                    return found
                click.echo(f"choose one of {', '.join(choices)}", err=True)
            return None

    async def _line(self) -> str | None:
        click.echo("> ", nl=False, err=True)
        loop = asyncio.get_running_loop()
        try:
            while b"\n" not in self._typed:
                ready = asyncio.Event()
                loop.add_reader(sys.stdin.fileno(), ready.set)
                await ready.wait()
                loop.remove_reader(sys.stdin.fileno())
                read = os.read(sys.stdin.fileno(), 4096)
                if not read:
                    click.echo(err=True)
                    return None
                self._typed += read
        except asyncio.CancelledError:
            click.echo(err=True)
            raise
        finally:
            loop.remove_reader(sys.stdin.fileno())
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace").strip()


def menu(choices: Sequence[str]) -> list[str]:
    """The lines that offer a few choices by number."""
    if len(choices) > MENU:
        return [f"one of {', '.join(choices)}"]
    return [f"  {number}) {choice}" for number, choice in enumerate(choices, 1)]


def chosen(typed: str, choices: Sequence[str]) -> str | None:
    """The choice that was typed: itself, its number, or its beginning where only one begins so."""
    if typed in choices:
        return typed
    if typed.isdecimal() and len(choices) <= MENU and 1 <= int(typed) <= len(choices):
        return choices[int(typed) - 1]
    begun = [choice for choice in choices if typed and choice.lower().startswith(typed.lower())]
    return begun[0] if len(begun) == 1 else None
