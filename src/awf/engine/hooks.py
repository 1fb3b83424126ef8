"""Hooks: actions around states and workflows, one after the other. Pure.

A ``log`` action is over as soon as it is rendered. A ``command`` action is a process of its own: decided here as
``hook.started``, and over with ``hook.finished``. A failure is recorded and nothing more, but for ``workflow_start``,
where it fails the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from awf.domain.outcomes import Cancelled, Failed, Outcome
from awf.domain.templates import TemplateFailure
from awf.domain.workflow import HookAction, Workflow
from awf.engine.render import CannotStart, render_command, sealed_command
from awf.journal.events import HookFinished, HookStarted

if TYPE_CHECKING:
    from awf.engine.flow import Flow

TIMEOUT = 30.0
"""Seconds that a hook's command may take."""


class Hooks:
    """The hooks of one execution."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    @staticmethod
    def closing_name(status: str) -> str:
        """Which list closes a graph with this outcome."""
        return {"completed": "workflow_end", "failed": "workflow_error"}.get(status, "workflow_cancel")

    @staticmethod
    def closing_actions(workflow: Workflow, status: str) -> Sequence[HookAction]:
        """The closing hooks of a workflow with this outcome."""
        return {"completed": workflow.hooks.end, "failed": workflow.hooks.error}.get(
            status, workflow.hooks.cancel
        )

    def run(self, path: str, hook: str, actions: Sequence[HookAction], done: int) -> bool:
        """Go on with a list of which ``done`` actions are over. True: all are, or a failed one of ``workflow_start`` ends
        the list; False: a command has been started."""
        for index in range(done, len(actions)):
            action = actions[index]
            if action.command is not None and action.log is None:
                self._start(path, hook, index, action)
                return False
            self._log(path, hook, index, action)
            if hook == "workflow_start" and self._flow.state.sequences[path].start_error:
                return True
        return True

    def _log(self, path: str, hook: str, index: int, action: HookAction) -> None:
        message, error = "", ""
        if action.log is not None:
            try:
                message = self._flow.sealer.mask(self._flow.text(action.log, path))
            except TemplateFailure as failure:
                error = self._flow.sealer.mask(failure.message)
        self._flow.emit(HookFinished(path=path, hook=hook, index=index, message=message, error=error))

    def _start(self, path: str, hook: str, index: int, action: HookAction) -> None:
        flow, attempt = self._flow, 1
        assert action.command is not None
        # With the number of its fact: the same hook runs again where a state is entered again.
        name = f"{flow.state.execution}.{path or 'workflow'}.{hook}.{index}.{flow.state.seq + 1}.{attempt}"
        command, refused = None, ""
        warnings: tuple[str, ...] = ()
        try:
            rendered, warnings = render_command(flow, path, action.command, code=not action.escaping)
            command = sealed_command(rendered, flow.sealer)
        except CannotStart as reason:
            refused = flow.sealer.mask(str(reason))
        flow.emit(
            HookStarted(
                path=path,
                hook=hook,
                index=index,
                attempt=attempt,
                attempt_id=name,
                command=command,
                refused=refused,
                warnings=warnings,
            )
        )

    def repeat(self, before: HookStarted) -> None:
        """Run a hook again whose engine died."""
        stem = before.attempt_id.rsplit(".", 1)[0]
        attempt = before.attempt + 1
        self._flow.emit(
            HookStarted(
                path=before.path,
                hook=before.hook,
                index=before.index,
                attempt=attempt,
                attempt_id=f"{stem}.{attempt}",
                command=before.command,
                refused=before.refused,
                warnings=before.warnings,
            )
        )

    def ended(self, path: str, outcome: Outcome, output: str) -> HookFinished | None:
        """Record how the hook in flight at a path ended."""
        started = self._flow.state.hooks.get(path)
        if started is None:
            return None
        mask, error = self._flow.sealer.mask, ""
        if isinstance(outcome, Failed):
            error = outcome.error or f"hook command exited with code {outcome.exit_code}: {output.strip()}"
        elif isinstance(outcome, Cancelled):
            error = "cancelled"
        fact = HookFinished(
            path=path,
            hook=started.hook,
            index=started.index,
            exit_code=outcome.exit_code,
            error=mask(error),
            message=mask(output),
        )
        self._flow.emit(fact)
        return fact
