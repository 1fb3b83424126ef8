"""How prompts reach a command-line tool. Pure."""

from __future__ import annotations

from awf.runners.agents.port import Request
from awf.runners.agents.sessions import Session, digest

LARGEST_ARGUMENT = 64 * 1024
"""Bytes of a text above which it does not go on the command line (the kernel's limit for one argument is 128 KiB)."""


def fits(text: str) -> bool:
    """May the text be one argument, and is it not taken for an option?"""
    return (
        not text.startswith("-")
        and "\0" not in text
        and len(text.encode(errors="replace")) <= LARGEST_ARGUMENT
    )


def with_system_prompt(request: Request) -> str:
    """The prompt for a tool that has no other way for a system prompt: behind it, unless the session that goes on has
    had the same one."""
    told = Session.read(request.session).told
    if not request.system_prompt or told == digest(request.system_prompt):
        return request.prompt
    return f"{request.system_prompt}\n\n{request.prompt}"
