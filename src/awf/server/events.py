"""``GET /api/executions/{id}/events``: the event stream of one execution."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, cast

from litestar import get
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter
from litestar.types import ASGIApp

from awf.journal.store import ExecutionRow, Store
from awf.server import queries
from awf.server.answers import problems
from awf.server.asgi import Receive, Scope, Send
from awf.server.feed import Feed, Feeds
from awf.server.frames import PING, in_default_stream
from awf.server.injected import TheFeeds, TheService

_ENDED = ("completed", "failed", "cancelled")
_EVENT_ID = re.compile("[0-9]{1,18}")
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)

LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID",
        description="continue after this event",
        schema_extra={"oneOf": None, "type": "string"},
    ),
]


class EventStream:
    """One viewer: sends an execution's frames after ``position`` until the last one, or until the client has gone. Without
    ``follow`` it ends with those that the execution had when the viewer came."""

    def __init__(
        self, feeds: Feeds, row: ExecutionRow, position: int, *, everything: bool, follow: bool
    ) -> None:
        self._feeds = feeds
        self._row = row
        self._position = position
        self._everything = everything
        self._follow = follow
        self._gone = False
        self._waiting: asyncio.Future[None] | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        with self._feeds.watch(self._row) as feed:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            watcher = asyncio.create_task(self._notice_departure(receive))
            try:
                await self._show(feed, send)
            finally:
                watcher.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _show(self, feed: Feed, send: Send) -> None:
        beats = feed.beats
        while not (self._gone or feed.closed):
            if not self._follow and self._position >= self._row.last_seq:
                return
            found = await feed.next(self._position, everything=self._everything)
            if found is not None:
                self._position, data = found
            elif feed.finished:
                return
            elif beats != feed.beats:
                data = PING
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                await feed.changed(self._waiting)
                continue
            beats = feed.beats
            if data:
                await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _notice_departure(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


async def starting_position(store: Store, row: ExecutionRow, given: str | None, *, everything: bool) -> int:
    """After which entry a viewer goes on that was ``given`` an event's id: 0, the start, for an id that its stream
    never had."""
    if given is None or not _EVENT_ID.fullmatch(given) or not 0 < int(given) <= row.last_seq:
        return 0
    found = await store.journal(row.id, after=int(given) - 1, limit=1)
    shown = found and (everything or in_default_stream(found[0].fact))
    return int(given) if shown else 0


@get(
    "/{id:str}/events",
    operation_id="streamEvents",
    summary="Stream execution events",
    description="Server-Sent Events, from the first one, or after `Last-Event-ID`, until the execution has ended.",
    media_type="text/event-stream",
    responses={
        204: ResponseSpec(None, description="the execution has ended and the viewer has had everything"),
        **problems(404),
    },
)
async def stream_events(
    id: FromPath[str],
    service: TheService,
    feeds: TheFeeds,
    from_header: LastEventId = None,
    last_event_id: queries.LastEventIdQuery = None,
    events: queries.Events = None,
    follow: queries.Follow = None,
) -> ASGIApp:
    everything = queries.events(events)
    following = queries.follow(follow)
    row = await service.execution(queries.execution_id(id))
    given = last_event_id if from_header is None else from_header
    position = await starting_position(service.store, row, given, everything=everything)
    if position == row.last_seq and row.status in _ENDED:
        return cast("ASGIApp", _nothing_left)
    return cast("ASGIApp", EventStream(feeds, row, position, everything=everything, follow=following))


async def _nothing_left(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": [(b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
