"""What templates and expressions of an activity see: see ``awf.domain.scope``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from awf.domain.outcomes import Usage
from awf.domain.packs import pack_of
from awf.domain.scope import Scope
from awf.domain.timestamps import duration_text, rfc3339
from awf.engine.state import LOOPS, Activity, ExecutionState, StepResult

if TYPE_CHECKING:
    from awf.engine.view import View


def scope_of(flow: View, path: str) -> Scope:
    """The scope at a path: of an activity, of a sub-workflow's graph, or (empty) of the execution's."""
    state, world = flow.state, flow.world
    sequence = flow.sequence_at(path)
    workflow = flow.workflow_of(sequence)
    closing = state.sequences[sequence].closing if sequence in state.sequences else None
    activity = state.activities.get(path)
    scope: dict[str, Any] = {
        "inputs": inputs_of(flow, sequence),
        "states": _Results(state.sequences[sequence].results),
        "env": world.environ,
        "workflow": {
            "ID": state.execution,
            "Name": workflow.identifier,
            "CurrentState": closing.state if closing else activity.state if activity else state.current,
            "StartedAt": rfc3339(state.accepted_at),
            "Duration": duration_text(max(0, world.now - state.accepted_at) / 1_000_000),
        },
        "context": {
            "WorkingDir": state.accepted.working_dir,
            "User": world.user,
            "Hostname": world.hostname,
        },
        "awf": _awf(state.accepted.awf, workflow.identifier),
    }
    loop = None if path == sequence else _loop(state, path)
    if loop is not None:
        scope["loop"] = loop
    if closing is not None and closing.status != "completed":
        scope["error"] = {
            "Type": "cancelled" if closing.status == "cancelled" else "execution",
            "Message": closing.error or closing.status,
            "State": closing.state,
            "ExitCode": closing.exit_code,
        }
    return scope


def _awf(paths: Mapping[str, str], identifier: str) -> Mapping[str, str]:
    pack = pack_of(identifier)
    return paths if pack is None else {**paths, "pack_name": pack}


def inputs_of(flow: View, sequence: str) -> Mapping[str, Any]:
    """The real values of the inputs of the workflow whose graph a sequence runs."""
    if not sequence:
        return flow.inputs
    started = flow.state.activities[sequence].started
    assert started is not None
    inputs: dict[str, Any] = flow.sealer.unsealed(started.inputs or {})
    return inputs


def _loop(state: ExecutionState, path: str) -> dict[str, Any] | None:
    """The context of the innermost loop around an activity, up to the graph that it belongs to."""
    for block in state.ancestors(path):
        if block.kind == "call_workflow":
            return None
        if block.kind in LOOPS:
            return loop_fields(state, block)
    return None


def loop_fields(state: ExecutionState, loop: Activity, index: int | None = None) -> dict[str, Any]:
    """A loop's context at an iteration (the present one by default), under the names of ``domain.scope.LOOP_FIELDS``."""
    started = loop.started
    index = loop.index if index is None else index
    items = started.items if started is not None else None
    length = -1 if items is None else len(items)
    return {
        "Item": items[index] if items is not None and 0 <= index < length else None,
        "Index": index,
        "Index1": index + 1,
        "First": index == 0,
        "Last": length >= 0 and index == length - 1,
        "Length": length,
        "Parent": _loop(state, loop.path),
    }


class _Results(Mapping[str, Any]):
    """``states``: the latest results of one graph's states, turned into scope values when they are looked at."""

    __slots__ = ("_results",)

    def __init__(self, results: Mapping[str, StepResult]) -> None:
        self._results = results

    def __getitem__(self, name: str) -> Any:
        return result_fields(self._results[name])

    def __contains__(self, name: object) -> bool:
        return name in self._results

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


def result_fields(result: StepResult) -> dict[str, Any]:
    """A step's result under the names of ``domain.scope.STATE_FIELDS``."""
    usage = result.usage or Usage()
    return {
        "Output": result.output,
        "Stderr": result.stderr,
        "ExitCode": result.exit_code,
        "Status": result.status,
        "Response": result.response,
        "JSON": result.json,
        "TokensUsed": usage.input + usage.output,
        "TokensInput": usage.input,
        "TokensOutput": usage.output,
        "TokensEstimated": usage.estimated,
    }
