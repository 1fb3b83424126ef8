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


def whole_prompt(request: Request) -> str:
    """The prompt for a tool that has no other way for a system prompt: behind it, unless the session that goes on has had
    the same one. Where there is no session to go on with, what was said before is told in the prompt."""
    session = Session.read(request.session)
    has_had_it = session.told == digest(request.system_prompt)
    system = "" if has_had_it else request.system_prompt
    return "\n\n".join(part for part in (system, transcript(request), request.prompt) if part)


def transcript(request: Request) -> str:
    """What was said before, for a tool that does not know it."""
    if Session.read(request.session).id or not request.turns:
        return ""
    said = "\n\n".join(f"{turn.role.capitalize()}: {turn.text}" for turn in request.turns)
    return f"<conversation_so_far>\n{said}\n</conversation_so_far>"
