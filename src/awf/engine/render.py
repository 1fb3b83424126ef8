"""What a state's templates see, and a step's facts rendered from them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awf.domain.duration import parse_duration
from awf.domain.scope import Scope
from awf.domain.shell import ShellPlaceError, shell_script
from awf.domain.templates import Template, TemplateFailure, render, render_parts
from awf.domain.timestamps import duration_text, rfc3339
from awf.domain.workflow import StepState
from awf.engine.state import ExecutionState, StepResult
from awf.engine.stimuli import World
from awf.journal.events import ShellCommand, StepStarted


class CannotStart(Exception):
    """A step cannot be started; the text says why and is the step's error."""


def scope_of(state: ExecutionState, world: World, inputs: Mapping[str, Any]) -> Scope:
    """The scope of the main graph: see ``domain.scope``. ``inputs`` are the real ones."""
    return {
        "inputs": inputs,
        "states": _Results(state.results),
        "env": world.environ,
        "workflow": {
            "ID": state.execution,
            "Name": state.accepted.workflow,
            "CurrentState": state.current,
            "StartedAt": rfc3339(state.accepted_at),
            "Duration": duration_text(max(0, world.now - state.accepted_at) / 1_000_000),
        },
        "context": {
            "WorkingDir": state.accepted.working_dir,
            "User": world.user,
            "Hostname": world.hostname,
        },
    }


class _Results(Mapping[str, Any]):
    """``states``: results by top-level path, turned into scope values when they are looked at."""

    __slots__ = ("_results",)

    def __init__(self, results: Mapping[str, StepResult]) -> None:
        self._results = results

    def __getitem__(self, name: str) -> Any:
        return result_fields(self._results[name])

    def __contains__(self, name: object) -> bool:
        return name in self._results

    def __iter__(self) -> Any:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


def result_fields(result: StepResult) -> dict[str, Any]:
    """A step's result under the names of ``domain.scope.STATE_FIELDS``."""
    return {
        "Output": result.output,
        "Stderr": result.stderr,
        "ExitCode": result.exit_code,
        "Status": result.status,
        "Response": None,
        "JSON": None,
        "TokensUsed": 0,
        "TokensInput": 0,
        "TokensOutput": 0,
        "TokensEstimated": False,
    }


def render_step(step: StepState, scope: Scope, fact: StepStarted) -> StepStarted:
    """``fact`` completed with the rendered command, directory, environment and timeout of ``step``.

    Raises CannotStart with the reason.
    """
    try:
        command = shell_script(render_parts(step.command, scope), code=step.command.sole_action)
        directory = "" if step.dir is None else render(step.dir, scope)
        env = {name: render(value, scope) for name, value in step.env.items()}
        timeout = _timeout(step.timeout, scope)
    except TemplateFailure as failure:
        raise CannotStart(failure.message) from failure
    except ShellPlaceError as failure:
        raise CannotStart(f"{failure} ({step.command.position})") from failure
    if not command.script.strip():
        raise CannotStart(
            f"the command of state '{step.name}' is empty after rendering ({step.command.position})"
        )
    return StepStarted(
        step=fact.step,
        state=fact.state,
        path=fact.path,
        attempt=fact.attempt,
        attempt_id=fact.attempt_id,
        kind=fact.kind,
        command=ShellCommand(
            script=command.script,
            variables=tuple(command.variables),
            display="" if command.display == command.script else command.display,
        ),
        dir=directory,
        env=env,
        timeout=timeout,
    )


def _timeout(timeout: float | Template | None, scope: Scope) -> float | None:
    if not isinstance(timeout, Template):
        return timeout
    text = render(timeout, scope).strip()
    try:
        return parse_duration(text) or None
    except ValueError as error:
        raise CannotStart(f"timeout: {error} ({timeout.position})") from error
