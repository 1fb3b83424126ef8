"""The environment of a step: the engine's own, who it is, and the inputs (workflow language, "Shell: running")."""

from __future__ import annotations

from awf.domain.variables import exported
from awf.engine.ports import StepContext
from awf.journal.events import StepStarted
from awf.runners.processes import ATTEMPT_VARIABLE


def step_environment(fact: StepStarted, context: StepContext) -> dict[str, str]:
    """All variables of one attempt. A variable that cannot be one (a NUL in its value) is left out."""
    env = dict(context.environ)
    env["AWF_EXECUTION_ID"] = context.execution
    env["AWF_WORKFLOW"] = context.workflow
    env["AWF_STEP"] = fact.state
    env.update(exported(context.inputs, context.environ).variables)
    env.update({name: value for name, value in fact.env.items() if "\0" not in value})
    env[ATTEMPT_VARIABLE] = fact.attempt_id
    return env
