"""How a command ends that cannot do what it was asked for: one paragraph on standard error that says what, where, and what
to try, or the same as a JSON object; never a traceback.

A bug ends with a reference; the log file that is named has the same reference with what happened.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from awf.cli.controls import visible
from awf.errors import AwfError, SystemFault, UserError

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a shell's command."""

_BREAK = "\n"
_LARGEST_LOG = 1024 * 1024


def tell(error: BaseException, *, command: str, as_json: bool, verbose: bool = False) -> int:
    """Say what went wrong with ``awf COMMAND``, where ``verbose`` with its code; the exit status of its class."""
    found = _described(error, command)
    if as_json:
        click.echo(json.dumps({"error": found}, indent=2, ensure_ascii=False), err=True)
    else:
        click.echo(visible(_paragraph(found, verbose=verbose)), err=True)
    return int(found["exit_status"])


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line that could not be understood asked for JSON."""
    return any(
        first in {"--format=json", "-fjson"} or (first in {"-f", "--format"} and second == "json")
        for first, second in itertools.pairwise([*arguments, ""])
    )


def _described(error: BaseException, command: str) -> dict[str, Any]:
    if isinstance(error, AwfError):
        return _object(
            error.code,
            error.message,
            error.exit_status,
            error.remedy or (_help(command) if isinstance(error, UserError) else ""),
            errors=[{"location": entry.location, "message": entry.message} for entry in error.entries],
        )
    if isinstance(error, click.UsageError):
        help_ = f"`{error.ctx.command_path} --help`" if error.ctx else _help(command)
        said = " ".join(error.format_message().split()).removesuffix(".")
        said = said.replace("'. (Did you", "' (did you").replace("'. Did you", "'; did you")
        return _object(UserError.code, said, UserError.exit_status, help_)
    if isinstance(error, click.ClickException):
        return _object(UserError.code, error.format_message(), UserError.exit_status, _help(command))
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return _object(
            SystemFault.code, f"{place}{error.strerror}", SystemFault.exit_status, SystemFault.remedy
        )
    return _bug(error, command)


def _help(command: str) -> str:
    return f"`awf {command} --help`" if command else "`awf --help`"


def _object(code: str, message: str, status: int, remedy: str, **more: Any) -> dict[str, Any]:
    found = {"code": code, "message": message, "try": remedy, **more, "exit_status": status}
    return {key: value for key, value in found.items() if value or key == "exit_status"}


def _paragraph(found: dict[str, Any], *, verbose: bool) -> str:
    code = f" [{found['code']}]" if verbose else ""
    lines = [f"awf: {found['message']}{code}"]
    lines += [
        f"  {each['location']}: {each['message']}"
        for each in found.get("errors", ())
        if each["message"] not in found["message"]
    ]
    text, remedy = "\n".join(lines), found.get("try")
    if not remedy:
        return text
    between = _BREAK if _BREAK in text else " Or " if text.endswith("?") else "; "
    return f"{text}{between}try {remedy}"


def _bug(error: BaseException, command: str) -> dict[str, Any]:
    reference = secrets.token_hex(4)
    path = log_file()
    kept = _log(path, f"reference {reference}, awf {command}", error)
    where = f"{path} has more" if kept else f"{path} cannot be written"
    message = f"a fault in awf itself ({type(error).__name__}), reference {reference}: {where}"
    remedy = "to report it with what the log says; `awf db check` tells whether the store is whole"
    return _object(AwfError.code, message, AwfError.exit_status, remedy, reference=reference, log=str(path))


def log_file() -> Path:
    """Where faults of the command line are written to, for the user alone."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "awf" / "cli.log"


def _log(path: Path, title: str, error: BaseException) -> bool:
    import traceback
    from datetime import UTC, datetime

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as log:
            log.write(f"{datetime.now(UTC).isoformat()} {title}\n")
            log.write("".join(traceback.format_exception(error)))
    except OSError:
        return False
    return True
