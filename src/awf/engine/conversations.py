"""``mode: conversation`` of agents: after each answer a person has the word, and what they say is the next prompt. Pure.

Every turn is an attempt of the same step, which goes on with the session of the one before; time limits, retries,
``on_crash`` and failures are those of an attempt. Nothing, ``exit`` and ``quit`` end the conversation.
"""

from __future__ import annotations

from typing import Any

import msgspec

from awf.domain.workflow import AgentState
from awf.engine.agents import display
from awf.engine.flow import Flow
from awf.engine.state import Activity
from awf.engine.talks import LONGEST_PROMPT
from awf.journal.events import AgentTurn, InputReceived, InputRequired, StepCompleted

ENDS = frozenset({"", "exit", "quit"})
"""What a person says to end it."""


def goes_on(flow: Flow, activity: Activity) -> bool:
    """Has a person the word when this attempt has ended well?"""
    known = flow.definition(activity)
    return isinstance(known, AgentState) and known.mode == "conversation" and not flow.is_ending(activity)


def turned(flow: Flow, activity: Activity, ended: StepCompleted) -> None:
    """The agent has answered: the person is asked what to say to that."""
    turn = AgentTurn(**{name: getattr(ended, name) for name in AgentTurn.__struct_fields__})
    said = (turn.output or "".join(activity.written["stdout"]) + turn.stdout_tail).strip()
    flow.emit(InputRequired(**activity.place, kind="conversation", prompt=said[-LONGEST_PROMPT:], turn=turn))


def answered(flow: Flow, activity: Activity, answer: InputReceived) -> None:
    """The person has said something: the next turn, or the end."""
    if answer.response.strip().lower() in ENDS:
        return _end(flow, activity)
    started, turn = activity.started, activity.turn
    assert started is not None
    assert started.agent is not None
    assert turn is not None
    call = msgspec.structs.replace(
        started.agent,
        prompt=answer.sealed or answer.response,
        session=turn.session or started.agent.session,
        display=display(started.agent.provider, answer.response),
    )
    return flow.next_attempt(activity, msgspec.structs.replace(started, agent=call, recovered=False))


def _end(flow: Flow, activity: Activity) -> None:
    """What the agent has answered last is its result. Its turn has its costs already."""
    turn = activity.turn
    assert turn is not None
    before = activity.before if activity.talk is not None else None
    spent = (activity.usage, None if before is None else before.usage)
    made: dict[str, Any] = msgspec.structs.asdict(turn) | {"usage": None, "provider": ""}
    tokens = sum(usage.total for usage in spent if usage is not None)
    flow.emit(
        StepCompleted(
            **activity.place,
            **made,
            response={"turns": activity.answers, "tokens": tokens, "stopped_by": "user_exit"},
            note=f"a conversation of {activity.answers} turns and {tokens} tokens, ended by a person",
        )
    )
