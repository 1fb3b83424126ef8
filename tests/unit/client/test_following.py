"""Where a viewer stands, over many connections."""

from __future__ import annotations

import json

import pytest

from awf.client.following import QUIET, Following
from awf.client.problems import Answer
from awf.client.results import Event
from awf.errors import (
    ExecutionNotFound,
    NotAnAwfServer,
    ServerDraining,
    ServerUnreachable,
    StillRunning,
    SystemFault,
)

STREAM = Answer(200, {"content-type": "text/event-stream; charset=utf-8"})
GONE = ServerUnreachable("gone")


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def following(clock: Clock | None = None, **more: object) -> Following:
    """A viewer of the execution ``e``."""
    return Following("e", **{"retries": 2, "patience": 20.0, "clock": clock or Clock(), **more})  # type: ignore[arg-type]


def problem(status: int, code: str, **headers: str) -> Answer:
    """An answer of awf that is no stream."""
    return Answer(status, headers, json.dumps({"detail": "no", "code": code}).encode())


def frames(*numbers: int, last: int = 9) -> bytes:
    """Frames with these numbers; ``last`` ends the execution."""
    return b"".join(
        f"event: {'workflow.completed' if n == last else 'output'}\nid: {n}\ndata: {{}}\n\n".encode()
        for n in numbers
    )


def read(follow: Following, data: bytes) -> list[int]:
    """The numbers of the events that come of the data."""
    return [event.id for event in follow.received(data)]


def test_each_event_once_over_connections_that_repeat() -> None:
    follow = following()
    assert follow.request_headers == {"Accept": "text/event-stream"}
    assert follow.opened(STREAM)
    assert read(follow, frames(1, 3) + frames(5)[:20]) == [1, 3]
    follow.lost(GONE)
    assert follow.request_headers["Last-Event-ID"] == "3"
    assert follow.opened(STREAM)
    assert follow.pause == 0
    assert read(follow, frames(1, 3, 5)) == [5]
    follow.closed()
    assert follow.pause > 0
    assert follow.opened(STREAM)
    assert read(follow, frames(5, 9, 10)) == [9]
    assert follow.ended


def test_it_begins_behind_a_number() -> None:
    follow = following(after=3, everything=True)
    assert follow.target == "/api/executions/e/events?events=all"
    assert follow.request_headers["Last-Event-ID"] == "3"
    assert follow.opened(STREAM)
    assert read(follow, frames(1, 3, 4)) == [4]


def test_nothing_left() -> None:
    follow = following(after=9)
    assert not follow.opened(Answer(204))
    assert follow.ended


def test_what_there_is_ends_where_the_stream_does() -> None:
    follow = following(follow=False)
    assert follow.target == "/api/executions/e/events?follow=false"
    follow.opened(STREAM)
    assert read(follow, frames(1)) == [1]
    follow.lost(GONE)
    assert not follow.ended
    follow.opened(STREAM)
    follow.closed()
    assert follow.ended


def test_closing_is_not_the_end() -> None:
    follow = following(everything=True)
    follow.opened(STREAM)
    data = b'event: workflow.closing\nid: 1\ndata: {"a": "\xc3\xbc"}\n\n'
    assert list(follow.received(data)) == [Event(1, "workflow.closing", {"a": "ü"})]
    assert not follow.ended


def test_the_first_contact_is_tried_as_often_as_retries_say() -> None:
    follow = following()
    for _ in range(2):
        follow.lost(GONE)
        assert 0 < follow.pause <= 0.4
    with pytest.raises(ServerUnreachable, match="gone"):
        follow.lost(GONE)


def test_after_the_first_contact_patience_counts_from_the_last_sign_of_life() -> None:
    clock = Clock()
    follow = following(clock)
    follow.opened(STREAM)
    clock.now = 100
    assert read(follow, b": ping\n\n") == []
    for _ in range(20):
        follow.lost(GONE)
        assert follow.pause <= 5
    clock.now = 119
    follow.closed()
    clock.now = 121
    with pytest.raises(ServerUnreachable):
        follow.lost(GONE)


def test_that_a_server_is_away_is_told_once_where_going_on_at_once_has_failed() -> None:
    told: list[str] = []
    follow = following(away=lambda error: told.append(error.message))
    follow.opened(STREAM)
    for _ in range(2):
        follow.closed()
        assert follow.opened(STREAM)
    assert told == []
    follow.closed()
    follow.lost(GONE)
    follow.lost(ServerUnreachable("still gone"))
    assert told == ["gone"]
    follow.opened(STREAM)
    follow.lost(GONE)
    follow.refused(problem(503, "SYSTEM.SERVER.DRAINING"))
    assert len(told) == 2


def test_a_server_that_was_never_there_is_not_away() -> None:
    told: list[object] = []
    follow = following(away=told.append)
    for _ in range(2):
        follow.lost(GONE)
    with pytest.raises(ServerUnreachable):
        follow.lost(GONE)
    assert told == []


def test_streams_that_end_at_once_are_no_sign_of_life() -> None:
    clock = Clock()
    follow = following(clock)
    for clock.now in (1.0, 20.0):
        assert follow.opened(STREAM)
        follow.closed()
    clock.now = 22
    assert follow.opened(STREAM)
    with pytest.raises(ServerUnreachable):
        follow.closed()


def test_a_server_that_is_busy_says_when_to_come_again() -> None:
    follow = following()
    follow.refused(problem(503, "SYSTEM.SERVER.DRAINING", **{"retry-after": "7"}))
    assert follow.pause == 7
    follow.refused(Answer(502, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, b"<html>"))
    assert follow.pause <= 0.2
    with pytest.raises(ServerDraining):
        follow.refused(problem(503, "SYSTEM.SERVER.DRAINING"))


def test_answers_that_trying_again_does_not_mend() -> None:
    with pytest.raises(ExecutionNotFound):
        following().refused(problem(404, "USER.FACADE.EXECUTION_NOT_FOUND"))
    with pytest.raises(SystemFault):
        following().refused(problem(500, "SYSTEM.INTERNAL.UNMAPPED"))
    page = Answer(200, {"content-type": "text/html"}, b"<html>")
    assert not following().opened(page)
    with pytest.raises(NotAnAwfServer):
        following().refused(page)


@pytest.mark.parametrize("frame", ["id: 1\ndata: {", "id: 1\ndata: []", "id: x\ndata: {}", "data: {}"])
def test_frames_that_awf_does_not_send(frame: str) -> None:
    follow = following()
    follow.opened(STREAM)
    with pytest.raises(NotAnAwfServer):
        read(follow, f"event: output\n{frame}\n\n".encode())


def test_a_limit_bounds_silence_pauses_and_talk() -> None:
    clock = Clock()
    follow = following(clock, limit=100.0)
    assert follow.quiet == QUIET
    assert not follow.overdue(QUIET)
    follow.opened(STREAM)
    clock.now = 80
    assert follow.quiet == 20
    assert follow.overdue(QUIET)
    assert not follow.overdue(21)
    assert read(follow, b": ping\n\n") == []
    clock.now = 89.95
    follow.closed()
    follow.refused(problem(503, "SYSTEM.SERVER.DRAINING", **{"retry-after": "7"}))
    assert follow.pause == pytest.approx(7)
    clock.now = 95
    follow.refused(problem(503, "SYSTEM.SERVER.DRAINING", **{"retry-after": "7"}))
    assert follow.pause == pytest.approx(5)
    clock.now = 100
    for call in (lambda: follow.quiet, lambda: follow.overdue(1), follow.closed):
        with pytest.raises(StillRunning, match="execution e is not over yet"):
            call()
