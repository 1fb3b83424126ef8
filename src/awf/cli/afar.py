"""An execution that runs on a server, watched as if it ran here."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from awf.cli.given import ask_for, declared_inputs
from awf.cli.options import current
from awf.cli.prompt import Prompter, at_terminal
from awf.cli.view import Shown, choose_view
from awf.cli.watching import CANCELLED_STATUS, Questions, interruptions, report, watch
from awf.errors import AwfError, ExecutionError, InputsInvalid

if TYPE_CHECKING:
    from awf.cli.access import Event
    from awf.cli.remote import RemoteAccess

INTERRUPTED = "cancelling; a second Ctrl-C ends the watching at once"


async def start_there(access: RemoteAccess, workflow: str, inputs: dict[str, Any]) -> str:
    """Have a server run a workflow; its execution. Inputs that the server misses are asked for on a terminal."""
    try:
        return await access.run(workflow, inputs)
    except InputsInvalid as error:
        from awf.domain.inputs import MISSING

        missing = {entry.location for entry in error.entries if entry.message == MISSING}
        if (
            len(missing) < len(error.entries)
            or not at_terminal()
            or current().format not in {"text", "table"}
        ):
            raise
        declared = declared_inputs(await access.workflow(workflow))
        wanted = [item for item in declared if f"inputs.{item.name}" in missing]
        if len(wanted) < len(missing):
            raise
    # Which files there are, the server knows.
    return await access.run(workflow, {**inputs, **ask_for(wanted, lambda _: True)})


async def watch_there(access: RemoteAccess, execution: str, shown: Shown | None) -> int:
    """Show an execution of a server to its end; the exit status, as if it had run here. Ctrl-C cancels it; a second one ends
    the watching alone."""
    view = choose_view(shown, execution)
    cancels = set[asyncio.Task[None]]()

    async def answer(path: str, response: str) -> None:
        await access.respond(execution, response, path=path)

    async def cancel() -> None:
        try:
            await access.cancel(execution)
        except AwfError as error:
            view.say(f"it could not be cancelled: {error.message}")

    def interrupted() -> None:
        if cancels:
            watching.cancel()
        else:
            view.say(INTERRUPTED)
            cancels.add(asyncio.create_task(cancel()))

    listeners = [Questions(view, Prompter(), answer)] if at_terminal() else []
    async with contextlib.aclosing(access.events(execution, away=view.say)) as events:
        watching = asyncio.create_task(watch(events, view, *listeners))
        with interruptions(interrupted):
            await asyncio.wait([watching])
    if watching.cancelled():
        return CANCELLED_STATUS
    last = watching.result()
    await asyncio.gather(*cancels)
    await report(execution, partial(access.execution, execution))
    return await _exit_status(access, last)


async def _exit_status(access: RemoteAccess, last: Event | None) -> int:
    """The exit status that the last event stands for: the workflow's own choice where it made one."""
    data = {} if last is None else last.data
    if data.get("status") == "completed":
        return int(data.get("exit_code", 0))
    if data.get("status") == "cancelled":
        return CANCELLED_STATUS
    try:
        document = await access.workflow(str(data.get("workflow_name", "")))
    except AwfError:
        document = {}
    state = document.get("states", {}).get(data.get("state"))
    return int(data.get("exit_code", 0)) if _names_its_code(state) else ExecutionError.exit_status


def _names_its_code(state: Any) -> bool:
    """Whether a state, as it was written, says with which exit code an execution fails that ends in it."""
    if not isinstance(state, dict):
        return False
    return isinstance(state.get("on_failure"), dict) or not {"exit_code", "exitcode"}.isdisjoint(state)
