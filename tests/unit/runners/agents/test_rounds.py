"""How long a service is waited for in the middle of an attempt, and what is said meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from awf.domain.outcomes import Usage
from awf.runners.agents import rounds
from awf.runners.agents.completions import Completion, Unavailable
from awf.runners.agents.functions import Functions
from awf.runners.agents.port import Answer, Event, ProviderFailed, Request, Spent, Text
from awf.runners.agents.rounds import Messages, Rounds
from awf.runners.agents.toolcalls import Call
from unit.runners.agents.test_functions import Toolbox

CALL = Completion("I call.", (Call("1", "t", ""),), Usage(input=10))
DONE = Completion("Done.", (), Usage(input=1))


def ask(
    monkeypatch: pytest.MonkeyPatch, *ends: Any
) -> tuple[Answer | ProviderFailed, list[float], list[Event]]:
    """What comes of answers, each said word for word, and failures; how long it waited, and what it said."""
    left, waited, said = list(ends), [], []

    async def send(messages: Messages, hear: Callable[[Event], None]) -> Completion:
        end = left.pop(0)
        if isinstance(end, ProviderFailed):
            hear(Text("Half"))
            raise end
        hear(Text(end.text))
        hear(Spent(end.usage))
        return end

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    async def inside() -> Answer | ProviderFailed:
        toolbox = Toolbox("t")
        functions = Functions(toolbox)
        monkeypatch.setattr(rounds.asyncio, "sleep", wait)
        try:
            return await Rounds(send, [], functions, said.append, Request(prompt="x")).answer()
        except ProviderFailed as failure:
            return failure

    found = asyncio.run(inside())
    assert left == []
    return found, [seconds for seconds in waited if seconds], said


def test_each_wait_is_twice_as_long_and_the_next_round_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [Unavailable("busy")] * 5
    found, waited, _ = ask(monkeypatch, CALL, *busy, CALL, Unavailable("busy"), DONE)
    assert isinstance(found, Answer)
    assert waited == [1, 2, 4, 8, 16, 1]


def test_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found, waited, _ = ask(monkeypatch, CALL, *[Unavailable("busy", usage=Usage(input=2))] * 6)
    assert isinstance(found, ProviderFailed)
    assert (found.message, found.usage) == ("busy", Usage(input=22))
    assert waited == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("seconds", "waits"), [(3600.0, True), (3601.0, False)])
def test_what_a_service_wants_is_waited_for_an_hour_at_most(
    monkeypatch: pytest.MonkeyPatch, seconds: float, waits: bool
) -> None:
    failure = Unavailable("busy", retry_after=seconds)
    found, waited, _ = ask(monkeypatch, CALL, failure, *([DONE] if waits else []))
    assert waited == ([seconds] if waits else [])
    assert isinstance(found, Answer if waits else ProviderFailed)


def test_what_cannot_be_mended_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found, waited, _ = ask(monkeypatch, CALL, ProviderFailed("bad request"))
    assert isinstance(found, ProviderFailed)
    assert waited == []


def test_texts_of_different_rounds_stand_apart_and_costs_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, said = ask(monkeypatch, CALL, Unavailable("cut"), DONE)
    assert "".join(event.text for event in said if isinstance(event, Text)) == "I call.\nHalf\nDone."
    spent = [event.usage.input for event in said if isinstance(event, Spent)]
    assert (spent, spent[-1]) == (sorted(spent), 11)
