"""``awf error``."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from awf.cli.candidates import error_codes
from awf.domain.codes import PROBLEMS
from awf.errors import AwfError, ExecutionError, RequestInvalid, SystemFault, UserError, WorkflowError

REQUESTS = {
    "USER.REQUEST.FORBIDDEN": (403, "The server does not answer to this Host or Origin.", "--allow-host or --allow-origin of `awf serve`"),
    "USER.REQUEST.NOT_FOUND": (404, "There is no such path.", "/docs, where every path is described"),
    "USER.REQUEST.METHOD_NOT_ALLOWED": (405, "The path has no such method.", "one of those that the header Allow names"),
    "USER.REQUEST.TOO_LARGE": (413, "The body of the request has more than 10 MiB.", "a smaller body"),
    "USER.REQUEST.UNSUPPORTED_MEDIA_TYPE": (415, "The body is not application/json.", "the header Content-Type: application/json"),
}  # fmt: skip
"""Codes that only HTTP has: status, meaning, and what to try."""

_CLASSES = (UserError, WorkflowError, ExecutionError, SystemFault)


class Entry(msgspec.Struct, omit_defaults=True):
    """A code: what it means, what to try, the exit status of a command that ends with it, and the status of an HTTP
    answer."""

    code: str
    meaning: str
    remedy: str
    exit_status: int
    http_status: int | None = None


@click.command()
@click.argument("code", required=False, shell_complete=error_codes)
def command(code: str | None) -> None:
    """Explain the code of an error, or all codes, or those that begin like CODE.

    \b
    Examples:
      awf error
      awf error WORKFLOW.VALIDATION.MISSING_STATE
      awf error USER.INPUT
    """
    from awf.cli.show import show_record, show_rows
    from awf.domain.suggest import did_you_mean

    known = catalogue()
    wanted = (code or "").upper()
    found = (
        [known[wanted]]
        if wanted in known
        else [each for each in known.values() if each.code.startswith(wanted)]
    )
    if not found:
        raise RequestInvalid(
            f"no error has the code {code}{did_you_mean(wanted, known)}", remedy="`awf error` for all codes"
        )
    if code is not None and len(found) == 1:
        (entry,) = found
        pairs = {
            "code": entry.code,
            "meaning": entry.meaning,
            "try": entry.remedy,
            "exit status": str(entry.exit_status),
            "http status": "" if entry.http_status is None else str(entry.http_status),
        }
        show_record(pairs, entry, name=entry.code)
    else:
        show_rows(
            ("code", "exit", "meaning"),
            [(each.code, str(each.exit_status), each.meaning) for each in found],
            found,
        )


def catalogue() -> dict[str, Entry]:
    """Every code that awf can end with, or report about a file, sorted."""
    found = {entry.code: entry for entry in _tree(AwfError)}
    for code, (status, meaning, remedy) in REQUESTS.items():
        found[code] = Entry(code, meaning, remedy, UserError.exit_status, status)
    by_name = {
        "USER": UserError,
        "WORKFLOW": WorkflowError,
        "EXECUTION": ExecutionError,
        "SYSTEM": SystemFault,
    }
    for code, (meaning, remedy) in PROBLEMS.items():
        kind = by_name[code.partition(".")[0]]
        found[code] = Entry(code, meaning, remedy, kind.exit_status, kind.http_status)
    return {code: found[code] for code in sorted(found)}


def _tree(kind: type[AwfError]) -> Iterator[Entry]:
    """The codes of a class and of those below it; one without a code of its own is not told apart from its parent."""
    if "code" in vars(kind):
        text = " ".join((kind.__doc__ or "").split()).replace("``", "`")
        yield Entry(kind.code, text, kind.remedy, kind.exit_status, kind.http_status)
    for below in kind.__subclasses__():
        yield from _tree(below)
