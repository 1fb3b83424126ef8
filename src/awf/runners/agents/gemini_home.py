"""A home for one run of Gemini CLI: the user's own, with one more MCP server.

The tool starts the servers that its settings name, and it takes settings from few places: the system's files, of which every
directory must be root's, the project's, and the user's. So it gets a home (``GEMINI_CLI_HOME``) in the attempt's directory, in
which everything is a link to what the user's has, sessions and sign-in too, but for a copy of the settings with the server
added. What the tool keeps at the top of its home for the first time is gone with the attempt.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awf.runners.agents.port import McpServer
from awf.runners.agents.servers import LONGEST_CALL, described

VARIABLE = "GEMINI_CLI_HOME"
"""Says where the home is; the tool's own directory is in it."""

SETTINGS = ".gemini/settings.json"
"""Where the settings are, in a home and in a project."""

_SESSIONS = ".gemini/tmp"
_BESIDE = (".agents", ".env")
"""What the tool reads in a home beside its own directory."""

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


class Unreadable(Exception):
    """Settings that cannot be read; the text says which, and why."""


def home(environ: Mapping[str, str]) -> Path:
    """The user's."""
    return Path(environ.get(VARIABLE) or environ.get("HOME") or Path.home())


def read_settings(directory: Path) -> dict[str, Any]:
    """The settings of a home or a project; nothing where there are none. They may have comments. Raises Unreadable."""
    path = directory / SETTINGS
    try:
        text = path.read_text("utf-8-sig")
        settings = json.loads(_COMMENT.sub(lambda found: found[1] or " ", text))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise Unreadable(f"{path} is not a JSON object")
    return settings


def with_server(settings: Mapping[str, Any], server: McpServer) -> str:
    """Settings with the server added, as the text of a file. Where lists say which servers may be started, this one may."""
    ours = described(server, trust=True, timeout=LONGEST_CALL * 1000)
    added = {**settings, "mcpServers": {**_map(settings.get("mcpServers")), server.name: ours}}
    lists = {name: each for name, each in _map(settings.get("mcp")).items() if isinstance(each, list)}
    if lists.get("allowed"):
        lists["allowed"] = [*lists["allowed"], server.name]
    if lists.get("excluded"):
        lists["excluded"] = [name for name in lists["excluded"] if name != server.name]
    if lists:
        added["mcp"] = {**settings["mcp"], **lists}
    return json.dumps(added)


def links(directory: Path) -> dict[str, str]:
    """Everything in a home but the settings, by name: where it is. Sessions have a place in it from the first run on, as the
    tool itself would see to."""
    with contextlib.suppress(OSError):
        (directory / _SESSIONS).mkdir(mode=0o700, parents=True, exist_ok=True)
    names = list(_BESIDE)
    with contextlib.suppress(OSError):
        names += [f".gemini/{path.name}" for path in (directory / ".gemini").iterdir()]
    return {name: str(directory / name) for name in names if name != SETTINGS and (directory / name).exists()}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
