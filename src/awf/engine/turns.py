"""What an agent was asked and has answered, as facts tell it: part of ``evolve``, and evaluates nothing either."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from awf.engine.state import Activity, ExecutionState
from awf.journal.events import AgentMessage, AgentTurn, StepCompleted, StepFailed, StepStarted
from awf.journal.messages import Message, ToolResult, ToolUse, Turn

ANOTHER_SESSION = "the agent's session is gone: it has another one, and is told what was said before"


def begin(state: ExecutionState, activity: Activity, fact: StepStarted) -> None:
    """The first attempt: what was said before it, in another step or before the execution was resumed."""
    if fact.talk is None:
        activity.turns, activity.talk = _continued(state, fact), None
        activity.opening = fact.agent.prompt if fact.agent is not None else ""
    else:
        talk = fact.talk
        activity.turns, activity.answers, activity.opening = talk.turns, talk.answers, talk.opening
        activity.turn = AgentTurn(
            output=talk.turns[-1].text, json=talk.json, session=talk.session, provider=talk.provider
        )


def carry(activity: Activity) -> None:
    """Another attempt: what the one before has called need not be called again."""
    activity.messages, activity.carried, activity.called = 0, activity.carried + activity.called, ()


def told(activity: Activity, fact: AgentMessage) -> None:
    """A tool keeps what it has called by itself; for an agent behind a service the engine does."""
    activity.messages += 1
    started = activity.started
    call = started.agent if started is not None else None
    if started is None or call is None or started.detach or call.tools is None:
        return
    if any(isinstance(block, ToolUse | ToolResult) for block in fact.blocks):
        activity.called += (Message(fact.role, fact.blocks),)


def answered(activity: Activity, turn: AgentTurn, output: str) -> None:
    """The agent has answered, and a person has the word."""
    activity.turns, activity.carried, activity.called = _with_answer(activity, output), (), ()
    activity.turn, activity.answers = turn, activity.answers + 1
    activity.deaths = activity.tries = 0


def in_another_session(activity: Activity) -> None:
    """The next attempt does not ask for a session that its tool no longer has."""
    started = activity.started
    if started is not None and started.agent is not None:
        agent = replace(started.agent, session="")
        activity.started = replace(started, agent=agent, warnings=(*started.warnings, ANOTHER_SESSION))


def left(activity: Activity, fact: StepCompleted | StepFailed, output: str) -> dict[str, Any]:
    """The conversation that an agent leaves, also where its answer was not what it had to be."""
    call = activity.started.agent if activity.started is not None else None
    if call is None:
        return {}
    has_answered = isinstance(fact, StepCompleted) or fact.output or fact.session
    if call.conversation and has_answered and (activity.question is None or activity.runs):
        return {"provider": call.provider, "turns": _with_answer(activity, output)}
    return {"provider": call.provider, "turns": activity.turns if activity.answers else None}


def _continued(state: ExecutionState, fact: StepStarted) -> tuple[Turn, ...]:
    """The conversation that an agent goes on with."""
    name = fact.agent.continue_from if fact.agent is not None else ""
    result = state.result_of(fact.path, name) if name else None
    return (result.turns if result is not None else None) or ()


def _with_answer(activity: Activity, output: str) -> tuple[Turn, ...]:
    """The conversation of an agent with what it was asked last, and its answer."""
    call = activity.started.agent if activity.started is not None else None
    asked = call.prompt if call is not None else ""
    return (
        *activity.turns,
        Turn("user", asked),
        Turn("assistant", output, activity.carried + activity.called),
    )
