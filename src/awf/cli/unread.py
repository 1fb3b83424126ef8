"""Output that nobody reads any more, as in ``awf events -f ID | head``.

A command that only shows something ends then, without a word. A run goes on to its end: who has stopped reading has not
cancelled it.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import TextIO

UNREAD = 141
"""The exit status of a command whose output nobody reads any more, as of a program that SIGPIPE has ended."""


@contextlib.contextmanager
def unread_is_dropped() -> Iterator[None]:
    """The block may write what nobody reads; then it ends there, and what is written later is dropped."""
    try:
        yield
    except BrokenPipeError:
        drop_unread()


def drop_unread() -> None:
    """Lead standard output and standard error nowhere, each where nobody reads it."""
    for stream in (sys.stdout, sys.stderr):
        poll = select.poll()
        poll.register(stream, 0)  # errors and hang-ups are always told
        if poll.poll(0):
            drop(stream)


def drop(stream: TextIO) -> None:
    """Lead a stream nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
