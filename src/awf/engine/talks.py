"""Conversations with people that an execution had left in the middle, and that one which resumes it goes on with. Pure.

The person gets the word again where they had it; else the agent is asked again what it was asked last. Both only where the state
still begins with the same provider and the same prompt: otherwise it is another conversation, and begins at its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from awf.engine.evolve import evolve, fold
from awf.engine.state import Activity
from awf.journal.events import Entry, InputRequired, StateEntered, StepFailed, StepStarted, TalkKept

LONGEST_PROMPT = 4000
"""Characters of an answer that the question shows; its end. All of it is in the step's output."""

OTHER_TALK = "the conversation begins again: its provider or its prompt is not what it was"


def left_off(execution: str, entries: Sequence[Entry], path: str) -> TalkKept | None:
    """The conversation in the middle of which a journal has left a state; None where there was none."""
    state = fold(execution, entries[:1])
    kept = None
    for entry in entries[1:]:
        match entry.fact:
            case StateEntered(path=entered) if entered == path:
                kept = None
            case StepFailed(path=failed) if failed == path:
                kept = _kept(state.activities[path])
        evolve(state, entry)
    return kept


def _kept(activity: Activity) -> TalkKept | None:
    call = activity.started.agent if activity.started is not None else None
    if call is None or not activity.answers or activity.turn is None or not activity.turns:
        return None
    question = activity.question
    return TalkKept(
        path=activity.path,
        provider=call.provider,
        opening=activity.opening,
        prompt=call.prompt,
        turns=activity.turns,
        answers=activity.answers,
        session=activity.turn.session or call.session,
        json=activity.turn.json,
        asked=activity.asks and question is not None and question.fact.kind == "conversation",
    )


def going_on(activity: Activity, fact: StepStarted, display: Callable[[str], str]) -> StepStarted:
    """The start of an agent: in the middle of the conversation that its state goes on with, if it does. ``display`` is for
    people."""
    talk, call = activity.talk, fact.agent
    if talk is None or call is None or activity.started is not None:
        return fact
    if (talk.provider, talk.opening) != (call.provider, call.prompt):
        return replace(fact, warnings=(*fact.warnings, OTHER_TALK))
    call = replace(call, prompt=talk.prompt, session=talk.session, display=display(talk.prompt))
    return replace(fact, agent=call, talk=talk)


def question_again(activity: Activity, talk: TalkKept) -> InputRequired:
    """The person has the word, as before."""
    said = talk.turns[-1].text.strip()
    return InputRequired(**activity.place, kind="conversation", prompt=said[-LONGEST_PROMPT:])
