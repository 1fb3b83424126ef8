"""A step's facts rendered from its state. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from awf.domain.duration import parse_duration
from awf.domain.problems import ProblemError
from awf.domain.scripts import Script, late_script
from awf.domain.sealing import Sealer
from awf.domain.shell import ShellPlaceError, shell_script
from awf.domain.templates import Template, TemplateFailure
from awf.domain.workflow import OperationState, StepState
from awf.engine.files import nearest
from awf.engine.state import Activity
from awf.journal.events import OperationCall, ShellCommand, StepStarted

if TYPE_CHECKING:
    from awf.engine.flow import Flow


class CannotStart(Exception):
    """A step cannot be started; the text says why and is the step's error."""


class ShellStep:
    """``type: step``; see ``awf.engine.flow.Leaf``."""

    def plan(self, flow: Flow, activity: Activity, state: StepState, fact: StepStarted) -> StepStarted:
        """Render command, directory and environment; secret values stay out of the fact."""
        path, sealer = activity.path, flow.sealer
        script = (
            _late(flow, path, state) if state.late else Script(state.command, state.escaping, state.script)
        )
        command, warnings = render_command(flow, path, script.command, code=not script.escaping)
        if not command.script.strip():
            raise CannotStart(
                f"the command of state '{state.name}' is empty after rendering ({state.command.position})"
            )
        try:
            directory = (
                "" if state.dir is None else "".join(part.text for part in flow.parts(state.dir, path))
            )
            env = {name: sealer.seal(flow.text(value, path)) for name, value in state.env.items()}
        except TemplateFailure as failure:
            raise CannotStart(failure.message) from failure
        if state.script and command.script.startswith("#!"):
            command = replace(command, program=True)
        return replace(
            fact,
            command=sealed_command(command, sealer),
            dir=sealer.seal(directory),
            env=env,
            max_output=state.max_output,
            detach=state.detach,
            warnings=tuple(map(sealer.mask, (*script.warnings, *warnings))),
        )


class OperationStep:
    """``type: operation``; see ``awf.engine.flow.Leaf``."""

    def plan(self, flow: Flow, activity: Activity, state: OperationState, fact: StepStarted) -> StepStarted:
        """Render the inputs; secret values stay out of the fact."""
        try:
            inputs = {name: flow.rendered(value, activity.path) for name, value in state.inputs.items()}
        except TemplateFailure as failure:
            raise CannotStart(failure.message) from failure
        shown = json.dumps(flow.sealer.masked(inputs), ensure_ascii=False, default=str)
        call = OperationCall(
            name=state.operation, inputs=flow.sealer.sealed(inputs), display=f"{state.operation} {shown}"
        )
        return replace(fact, operation=call)


def _late(flow: Flow, path: str, state: StepState) -> Script:
    """The script whose path is known only now. Raises CannotStart."""
    try:
        workflow = flow.workflow_of(flow.state.sequence_of(path))
        file = nearest(flow, workflow, flow.text(state.command, path).strip())
        return late_script(flow.files(path)(file), file, escaping=state.escaping)
    except (TemplateFailure, ProblemError) as failure:
        raise CannotStart(str(failure)) from failure
    except FileNotFoundError as failure:
        raise CannotStart(f"script_file: file not found: {file} ({state.command.position})") from failure
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else failure
        raise CannotStart(f"script_file: {reason}: {file} ({state.command.position})") from failure


def render_command(
    flow: Flow, path: str, template: Template, *, code: bool = False
) -> tuple[ShellCommand, tuple[str, ...]]:
    """A shell command with its values as data, and warnings about these values. Raises CannotStart."""
    try:
        parts = flow.parts(template, path)
        script = shell_script(parts, code=code or template.sole_action)
    except TemplateFailure as failure:
        raise CannotStart(failure.message) from failure
    except ShellPlaceError as failure:
        raise CannotStart(f"{failure} ({template.position})") from failure
    display = "" if script.display == script.script else script.display
    command = ShellCommand(script=script.script, variables=tuple(script.variables), display=display)
    return command, script.warnings


def sealed_command(command: ShellCommand, sealer: Sealer) -> ShellCommand:
    """Keep secret values out of the journal: placeholders in what runs, ``***`` in what is shown."""
    if not sealer:
        return command
    script = sealer.seal(command.script)
    variables = tuple((name, sealer.seal(value)) for name, value in command.variables)
    if script == command.script and variables == command.variables:
        return command
    display = sealer.mask(command.display or command.script)
    return replace(command, script=script, variables=variables, display=display)


def render_timeout(timeout: float | Template | None, render: Callable[[Template], str]) -> float | None:
    """A time limit in seconds, None for none. Raises CannotStart."""
    if not isinstance(timeout, Template):
        return timeout or None
    try:
        return parse_duration(render(timeout).strip()) or None
    except TemplateFailure as failure:
        raise CannotStart(failure.message) from failure
    except ValueError as error:
        raise CannotStart(f"timeout: {error} ({timeout.position})") from error
