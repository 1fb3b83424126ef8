"""One viewer's way through the event stream of an execution, over as many connections as it takes. Does no I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec

from awf.client.operations import execution_path
from awf.client.pace import PASSING, Pace
from awf.client.problems import Answer, error_of, foreign
from awf.client.results import Event
from awf.client.sse import Frame, Parser
from awf.errors import AwfError, ServerUnreachable, StillRunning

QUIET = 45.0
"""Seconds of silence after which a connection is given up; a server says something every 15."""


class Following:
    """Where a viewer stands. It asks for ``request_headers``, tells what came (``opened``, ``received``, ``refused``,
    ``lost``), and, until ``ended``, waits ``pause`` seconds and asks again.

    Every event is handed out once, in order: a new connection goes on after the last one seen, and what was seen is
    dropped. The first contact is tried ``retries`` times more; after that the server may be away for ``patience``
    seconds: ``away`` is told why, once, where going on at once has failed. Without ``follow`` it is over with the events
    that there are; ``limit``: seconds after which StillRunning is raised.
    """

    def __init__(
        self,
        execution: str,
        *,
        after: int = 0,
        everything: bool = False,
        follow: bool = True,
        retries: int,
        patience: float,
        limit: float | None = None,
        away: Callable[[AwfError], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        query = {**({"events": "all"} if everything else {}), **({} if follow else {"follow": "false"})}
        self.target = f"{execution_path(execution)}/events{f'?{urlencode(query)}' if query else ''}"
        self.ended = False
        self.pause = 0.0
        self._execution = execution
        self._follow = follow
        self._last = after
        self._pace = Pace()
        self._retries = retries
        self._patience = patience
        self._clock = clock
        self._deadline = None if limit is None else clock() + limit
        self._met_at: float | None = None
        self._away = away
        self._failed = 0
        self._parser = Parser()

    @property
    def request_headers(self) -> dict[str, str]:
        """Headers of the next request."""
        place = {"Last-Event-ID": str(self._last)} if self._last else {}
        return {"Accept": "text/event-stream", **place}

    @property
    def quiet(self) -> float:
        """Seconds for which the next connection may be silent. Raises StillRunning where there is no time left."""
        return QUIET if self._deadline is None else min(QUIET, self._left(self._deadline))

    def opened(self, answer: Answer) -> bool:
        """The head of a response came. Whether its body is the stream; else ``refused`` wants the whole answer."""
        self.pause = 0.0
        if answer.status == 204:
            self.ended = True
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
        stream = answer.status == 200 and media_type == "text/event-stream"
        if stream:
            self._met_at = self._clock() if self._met_at is None else self._met_at
            self._failed = 0
            self._parser = Parser()
        return stream

    def received(self, chunk: bytes) -> Iterator[Event]:
        """The new events that are complete with these bytes."""
        self._met_at = self._clock()
        for frame in self._parser.feed(chunk):
            event = _event(frame, self.target)
            if event.id > self._last and not self.ended:
                self._last = event.id
                self.ended = event.final
                self._pace.reset()
                yield event

    def overdue(self, quiet: float) -> bool:
        """Whether a connection that may be silent for ``quiet`` seconds could outlast the limit by much, so that a new
        one is called for. Raises StillRunning where there is no time left."""
        if self._deadline is None or self.ended:
            return False
        left = self._left(self._deadline)
        return quiet - left > max(0.25, left / 10)

    def closed(self) -> None:
        """The stream ended as HTTP says, and not with a final event: the server is leaving, say."""
        if not self._follow:
            self.ended = True
            return
        self._again(None, ServerUnreachable("it closed the event stream"))

    def refused(self, answer: Answer) -> None:
        """A whole answer came that is no stream. Raises RemoteError, NotAnAwfServer where trying again has no use."""
        if answer.status not in PASSING:
            raise error_of(answer) if answer.status >= 400 else foreign(answer)
        self._again(answer, error_of(answer))

    def lost(self, error: ServerUnreachable) -> None:
        """There was no connection, or it broke. Raises it where it has been tried for long enough, or StillRunning where
        there is no time left."""
        self._again(None, error)

    def _again(self, answer: Answer | None, reason: AwfError) -> None:
        """Set the pause before the next try, or raise."""
        tried_enough = (
            self._pace.tries >= self._retries
            if self._met_at is None
            else self._clock() - self._met_at > self._patience
        )
        if tried_enough:
            raise reason
        self._failed += 1
        if self._failed == 2 and self._met_at is not None and self._away is not None:
            self._away(reason)
        self.pause = self._pace.pause(answer)
        if self._deadline is not None:
            self.pause = min(self.pause, self._left(self._deadline))

    def _left(self, deadline: float) -> float:
        left = deadline - self._clock()
        if left <= 0:
            raise StillRunning(f"execution {self._execution} is not over yet; it goes on")
        return left


def _event(frame: Frame, target: str) -> Event:
    try:
        data = msgspec.json.decode(frame.data, type=dict[str, Any])
        return Event(int(frame.id), frame.name, data)
    except ValueError:
        raise foreign(Answer(200, content=frame.data.encode(), url=target)) from None
