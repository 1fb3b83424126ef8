"""The real values of secrets, back in the place of their placeholders, at the moment a step starts. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from awf.domain.sealing import Sealer
from awf.journal.events import AgentCall, OperationCall, ShellCommand, StepStarted


def unsealed(fact: StepStarted, sealer: Sealer) -> StepStarted:
    """The start of an attempt as its runner needs it; never to be recorded."""
    return replace(
        fact,
        command=None if fact.command is None else _command(fact.command, sealer),
        operation=None if fact.operation is None else _operation(fact.operation, sealer),
        agent=None if fact.agent is None else _agent(fact.agent, sealer),
        dir=sealer.unseal(fact.dir),
        env={name: sealer.unseal(value) for name, value in fact.env.items()},
    )


def _command(command: ShellCommand, sealer: Sealer) -> ShellCommand:
    variables = tuple((name, sealer.unseal(value)) for name, value in command.variables)
    return replace(command, script=sealer.unseal(command.script), variables=variables)


def _operation(call: OperationCall, sealer: Sealer) -> OperationCall:
    return replace(call, inputs=sealer.unsealed(call.inputs))


def _agent(call: AgentCall, sealer: Sealer) -> AgentCall:
    return replace(
        call,
        provider=sealer.unseal(call.provider),
        prompt=sealer.unseal(call.prompt),
        system_prompt=sealer.unseal(call.system_prompt),
        options=sealer.unsealed(call.options),
    )
