"""``awf run --step``: one state by itself, in the real engine, over a store in memory that nobody else sees.

The state keeps all it has (hooks, retries, its loop or sub-workflow), but every way on from it ends the run. What earlier
states have left is mocked by states of their names that leave just that; they run first.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from awf.cli.foreground import Foreground, Manner
from awf.cli.view import Shown
from awf.domain.problems import Position
from awf.domain.suggest import did_you_mean
from awf.domain.templates import Template
from awf.domain.workflow import Routing, State, StepState, TerminalState, Workflow, WorkflowHooks
from awf.engine.pinned import Definitions
from awf.errors import RequestInvalid
from awf.journal.store import Store
from awf.stores.memory import MemoryStore

if TYPE_CHECKING:
    from awf.engine.ports import WorkflowFile
    from awf.journal.events import ExecutionAccepted
    from awf.settings import Settings

_MOCK = re.compile(r"states\.([^.=]+)\.([A-Za-z_]+)=(.*)", re.DOTALL)
_FIELDS = {
    "output": "output",
    "stderr": "stderr",
    "exitcode": "exit_code",
    "exit_code": "exit_code",
    "status": "status",
}
_PASSED, _FAILED = "step passed", "step failed"
"""Names of terminals that no state of a file can have by accident."""


async def run_step(
    settings: Settings,
    file: WorkflowFile,
    inputs: dict[str, Any],
    step: str,
    mocks: Iterable[str],
    shown: Shown | None,
) -> int:
    """Run one state; the exit status: 0, or 3 where it fails. Raises what ``Service.run`` raises, and RequestInvalid."""
    import tempfile

    left = _mocked(mocks)
    found = file.loaded.workflow
    if found is not None:
        _check(found, step)
        for name in left:
            if name not in found.states or name == step:
                raise RequestInvalid(
                    f"--mock: no other step '{name}'{did_you_mean(name, found.states)}", remedy=_steps(found)
                )
    with tempfile.TemporaryDirectory(prefix="awf-step-") as place:
        # Nothing of it is to be found by others: not the store alone.
        alone, store = replace(settings, storage=Path(place)), MemoryStore()
        async with contextlib.AsyncExitStack() as stack:
            here = await Foreground.open(alone, stack, store, _Altered(store, step, left))
            return await here.run(await here.service.run_file(file, inputs, owner=here.owner), Manner(shown))


def _check(workflow: Workflow, step: str) -> None:
    state = workflow.states.get(step)
    if state is None:
        raise RequestInvalid(
            f"step not found: {step}{did_you_mean(step, workflow.states)}", remedy=_steps(workflow)
        )
    if isinstance(state, TerminalState):
        raise RequestInvalid(f"cannot execute terminal step: {step}", remedy=_steps(workflow))


def _steps(workflow: Workflow) -> str:
    """What to try instead of a step that cannot be run."""
    names = [name for name, state in workflow.states.items() if not isinstance(state, TerminalState)]
    return f"one of {', '.join(names)}"


def _mocked(mocks: Iterable[str]) -> dict[str, dict[str, str]]:
    """What mocked states leave, by their names."""
    found: dict[str, dict[str, str]] = {}
    for mock in mocks:
        parts = _MOCK.fullmatch(mock)
        field = _FIELDS.get(parts[2].lower()) if parts else None
        if parts is None or field is None:
            raise RequestInvalid(
                f"--mock {mock}: give states.STEP.FIELD=VALUE; FIELD is output, stderr, exit_code or status"
            )
        if field == "exit_code" and not (parts[3].isdecimal() and int(parts[3]) < 256):
            raise RequestInvalid(f"--mock {mock}: an exit code is a number from 0 to 255")
        found.setdefault(parts[1], {})[field] = parts[3]
    return found


class _Altered(Definitions):
    """Definitions in which one state stands alone behind the mocked ones."""

    def __init__(self, store: Store, step: str, left: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(store)
        self._step = step
        self._left = left

    async def workflows(self, accepted: ExecutionAccepted) -> dict[str, Workflow]:
        found = await super().workflows(accepted)
        found[accepted.workflow] = _alone(found[accepted.workflow], self._step, self._left)
        return found


def _alone(workflow: Workflow, step: str, left: Mapping[str, Mapping[str, str]]) -> Workflow:
    """The workflow with only the way from the mocked states to ``step``, and from there to its end."""
    place = workflow.states[step].position
    order = [*left, step]
    states: dict[str, State] = dict(workflow.states)
    for name, follower in zip(left, order[1:], strict=True):
        states[name] = _mock(name, left[name], follower, place)
    state = states[step]
    assert not isinstance(state, TerminalState)
    states[step] = replace(state, routing=Routing(on_success=_PASSED, on_failure=_FAILED))
    failed = Template(f"step '{step}' failed", place, literal=True)
    states[_PASSED] = TerminalState(name=_PASSED, position=place)
    states[_FAILED] = TerminalState(name=_FAILED, position=place, status="failure", message=failed)
    return replace(workflow, initial=order[0], states=states, hooks=WorkflowHooks())


def _mock(name: str, left: Mapping[str, str], follower: str, place: Position) -> StepState:
    """A state that leaves what it is told to."""
    code = left.get("exit_code") or ("1" if left.get("status") == "failed" else "0")
    command = "; ".join(
        (
            f"printf %s {shlex.quote(left.get('output', ''))}",
            f"printf %s {shlex.quote(left.get('stderr', ''))} >&2",
            f"exit {code}",
        )
    )
    return StepState(
        name=name,
        position=place,
        command=Template(command, place, literal=True),
        escaping=False,
        routing=Routing(on_success=follower, on_failure=follower),
    )
