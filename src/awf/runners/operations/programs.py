"""How operations start programs: without a terminal, with bounded output, and so that nothing of them is left."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence

from msgspec import Struct

from awf.runners.operations.port import OperationContext
from awf.runners.processes import ATTEMPT_VARIABLE, end

MOST_OUTPUT = 10 * 1024 * 1024
"""Bytes of each stream that are kept."""


class CannotStart(Exception):
    """There is no process; the text says why."""


class Ended(Struct, frozen=True):
    """How a program ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


class Programs(Struct, frozen=True):
    """``grace``: seconds between SIGTERM and SIGKILL."""

    grace: float

    def find(self, program: str, context: OperationContext) -> str | None:
        """The path of a program; None where it is not installed."""
        return shutil.which(program, path=context.environ.get("PATH"))

    async def run(
        self,
        argv: Sequence[str],
        context: OperationContext,
        *,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run a program in the step's directory to its end. When cancelled it ends what the attempt has started, and
        waits until nothing is left. Raises CannotStart."""
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=context.working_dir,
                env={**context.environ, **(env or {}), ATTEMPT_VARIABLE: context.attempt_id},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CannotStart(f"cannot start {argv[0]}: {reason}") from error
        try:
            _, stdout, stderr, code = await asyncio.gather(
                _feed(process.stdin, stdin), _kept(process.stdout), _kept(process.stderr), process.wait()
            )
        except asyncio.CancelledError:
            await end([context.attempt_id], grace=self.grace)
            await process.wait()
            raise
        return Ended(code, stdout, stderr)


async def _feed(stream: asyncio.StreamWriter | None, text: str | None) -> None:
    if stream is None or text is None:
        return
    try:
        stream.write(text.encode(errors="replace"))
        await stream.drain()
    except ConnectionError:
        pass  # it ended, or reads no more: its exit code tells
    finally:
        stream.close()


async def _kept(stream: asyncio.StreamReader | None) -> str:
    """The beginning of what it writes; all of it is read."""
    assert stream is not None
    kept = bytearray()
    while piece := await stream.read(65536):
        kept += piece[: MOST_OUTPUT - len(kept)]
    return kept.decode(errors="replace")
