"""What an engine tells ``awf mcp-serve``, as JSON in a file of the attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from awf.errors import RequestInvalid


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``operations`` are the names of the tools. ``root`` is the project's, ``settings`` are arguments for
    ``load_settings``. The rest is what an operation is told: whose it is, the engine's environment and the directory that
    the execution is pinned to."""

    root: str
    operations: tuple[str, ...]
    execution: str
    workflow: str
    state: str
    attempt_id: str
    working_dir: str
    environ: dict[str, str] = {}
    settings: dict[str, Any] = {}


def read_configuration(file: Path) -> Configuration:
    """Raises RequestInvalid."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Configuration)
    except OSError as error:
        raise RequestInvalid(f"--config: cannot read {file}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        # What is in it is not shown: it may hold secrets.
        raise RequestInvalid(
            f"--config: {file} is not a file that an engine has written for mcp-serve"
        ) from None
