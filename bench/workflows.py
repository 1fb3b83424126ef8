"""The workflows that are measured, as texts."""

from __future__ import annotations

import json
from collections.abc import Sequence


def sequence(name: str, commands: Sequence[str]) -> str:
    """Steps one after another, one per command."""
    lines = [f"name: {name}", "states:", "  initial: step1"]
    for number, command in enumerate(commands, 1):
        following = f"step{number + 1}" if number < len(commands) else "done"
        lines += [
            f"  step{number}:",
            "    type: step",
            f"    command: {json.dumps(command)}",
            f"    on_success: {following}",
        ]
    return "\n".join([*lines, "  done:", "    type: terminal", ""])


def circle(name: str, command: str, *, detach: bool = False) -> str:
    """Two steps that lead to each other, until the limit of transitions ends it."""
    body = f"type: step, command: {json.dumps(command)}{', detach: true' if detach else ''}"
    return (
        f"name: {name}\nstates:\n  initial: there\n"
        f"  there: {{{body}, on_success: back}}\n  back: {{{body}, on_success: there}}\n"
        "  never: {type: terminal}\n"
    )
