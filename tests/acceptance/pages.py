"""The pages of the documentation, block by block.

======================  ==============================================================================================
block                   how it is tried
======================  ==============================================================================================
``bash``                run, all of a page as one script; a line that ends in ``# exit status N`` must do that
``console``             lines after ``$`` are run; what they say must be what the page says, but for ids, times and
                        the port
``terminal``            the same on a terminal, which may have shown more than the page says
a line ``\\`x\\`:``       before any block: its text is written to the file ``x``
``yaml``                a workflow or states: must be valid; settings: must be known
``json``, ``toml``      must be that
``python``              run
======================  ==============================================================================================

``localhost:2511`` is the port of a server that the test starts, unless the page does (``awf serve &``); lines that start one in
the foreground are passed over.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
SESSIONS = ("console", "terminal")
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
ADDRESS = re.compile(r"\b(localhost|127\.0\.0\.1):2511\b")
SERVER = re.compile(r"^(?:awf|make) serve\b[^&\n]*$", re.MULTILINE)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\x04\b]|\^D")
_PLACE = re.compile(r"`((?:~/)?\.?\w[\w./-]*\.\w+)`[^`\n]*:\n\n\Z")
_BEHIND = re.compile(r"^(awf serve\b[^&\n]*) &$", re.MULTILINE)
_STATUS = re.compile(r"^(.*?) +# exit status (\d+)$", re.MULTILINE)
_VARIABLE = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?"), "TIME"),
    (re.compile(r"\b(?:\d+m)?\d+(?:\.\d+)?m?s\b|(?<=duration_ms\":)\d+"), "TOOK"),
    (re.compile(r"(?<=\b(?:localhost|127\.0\.0\.1)):\d+"), ":PORT"),
)
_LISTENS = "curl -s --retry 60 --retry-delay 1 --retry-connrefused -o /dev/null http://localhost:{port}/docs"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line it begins at, and the file that it is the text of."""

    language: str
    text: str
    line: int
    place: str | None


def blocks(page: Path) -> list[Block]:
    """All blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        place = _PLACE.search(text, 0, match.start())
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], line, place[1] if place else None))
    assert text.count("\n```") == 2 * len(found) - text.startswith("```"), (
        f"{page}: a fence that does not close"
    )
    return found


def starts_a_server(found: list[Block]) -> bool:
    """Whether a page starts its own server."""
    return any(_BEHIND.search(block.text) for block in found)


def script(found: list[Block], port: int | str) -> str:
    """One script of everything on a page that is run or written, which says where it is on standard error."""
    lines = ["set -eu -o pipefail"]
    for block in found:
        lines.append(f"echo '@@ line {block.line}' >&2")
        text = ADDRESS.sub(rf"\1:{port}", block.text)
        if block.place is not None:
            place = block.place.replace("~", "$HOME")
            lines.append(f'mkdir -p "$(dirname "{place}")"; cat >"{place}" <<\'@@END\'\n{text}@@END')
        elif block.language == "bash":
            text = _BEHIND.sub(rf"\1 --port {port} >&2 &\n{_LISTENS.format(port=port)}", text)
            lines.append(_STATUS.sub(r"(\1) && exit 99 || [ $? -eq \2 ]", SERVER.sub(":", text)))
        elif block.language in SESSIONS:
            for command, _ in _commands(text):
                run = ":" if SERVER.search(command) else f"{{ {command}\n}} 2>&1"
                if block.language == "terminal":
                    run = (
                        f"script -qec {shlex.quote(f'stty cols 84 rows 40; {command}')} /dev/null </dev/null"
                    )
                lines.append(f"echo '@@ {block.line}'; {run} || true; echo '@@ -'")
    return "\n".join(lines)


def shown(found: list[Block], language: str) -> list[str]:
    """What a page shows of each command of its sessions."""
    return [
        alike(output) for block in found if block.language == language for _, output in _commands(block.text)
    ]


def said(found: list[Block], language: str, output: str) -> list[str]:
    """As ``shown``, of what the script has written."""
    lines = {block.line for block in found if block.language == language}
    parts = re.findall(r"^@@ (\d+)\n(.*?)^@@ -$", _ESCAPE.sub("", output), re.MULTILINE | re.DOTALL)
    return [alike(text) for line, text in parts if int(line) in lines]


def alike(text: str) -> str:
    """A text without what is different each time."""
    for pattern, name in _VARIABLE:
        text = pattern.sub(name, text)
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.strip("\n").splitlines())


def workflow_of(states: dict[str, Any]) -> dict[str, Any]:
    """A whole workflow around states: what they name and do not have is added."""
    known = dict(states)
    first = next(iter(states))
    # What is read without being there has run before.
    for name in re.findall(r"\bstates\.(\w+)", repr(states)):
        if name not in known:
            known[name] = {"type": "step", "command": "true", "on_success": first}
            first = name
    for name, state in states.items():
        for target in _targets(state):
            known.setdefault(target, {"type": "terminal"})
        for part in (*state.get("parallel", ()), *state.get("body", ())):
            known.setdefault(part, {"type": "step", "command": "true", "on_success": name})
    inputs = sorted(set(re.findall(r"\binputs\.(\w+)", repr(states))))
    return {
        "name": "page",
        "version": "1.0.0",
        "inputs": [{"name": name} for name in inputs],
        "states": {"initial": first, **known},
    }


def _targets(state: dict[str, Any]) -> Iterator[str]:
    for key in ("on_success", "on_failure", "on_complete", "on_approve", "on_reject", "on_timeout"):
        if isinstance(state.get(key), str):
            yield state[key]
    for transition in state.get("transitions", ()):
        yield transition["goto"]


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a session, with what each says."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, output = part.partition("\n")[::2]
        while command.endswith("\\"):
            more, output = output.partition("\n")[::2]
            command += f"\n{more.removeprefix('> ')}"
        yield command, output
