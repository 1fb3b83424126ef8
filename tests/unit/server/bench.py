"""The application over a memory store, asked in process; every answer is held against the API's description."""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import jsonschema

from awf.catalog import Catalog
from awf.engine.service import Place, Service, Signals
from awf.journal.events import AnyFact, Entry
from awf.journal.store import Ownership
from awf.server.app import create_app
from awf.server.settings import ServerSettings
from awf.stores.memory import MemoryStore
from awf.testing.clock import FakeClock

HELLO = """
name: hello
version: "1.0.0"
description: Says hello
inputs:
  - {name: who, type: string, required: true}
  - {name: times, type: integer, default: 1}
states:
  initial: greet
  greet: {type: step, command: "echo hello {{inputs.who}}", on_success: done}
  done: {type: terminal}
"""
URL = "http://127.0.0.1:2511"

_description: dict[str, Any] = {}
"""The same for every application; making it takes longer than most tests."""


class Bench:
    """One application. ``asked`` are the wake-ups that engines would get."""

    def __init__(self, root: Path, store: MemoryStore | None = None, **settings: Any) -> None:
        self.root = root
        self.files = root / ".awf" / "workflows"
        self.files.mkdir(parents=True)
        self.store = store or MemoryStore()
        self.clock = FakeClock()
        self.asked = 0
        self.dead: set[str] = set()
        self.service = Service(
            store=self.store,
            catalog=Catalog(root, {"HOME": str(root / "home")}),
            clock=self.clock,
            signals=Signals(
                wake=self._wake, mark_cancel=lambda _: False, alive=lambda owner: owner not in self.dead
            ),
            place=Place(str(root), str(root)),
        )
        self.app = create_app(self.service, settings=ServerSettings(**settings))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=URL)
        self._owned: dict[str, Ownership] = {}

    def _wake(self) -> None:
        self.asked += 1

    def workflow(self, name: str = "hello", text: str = HELLO) -> None:
        (self.files / f"{name}.yaml").write_text(text)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask, and check that the description knows such an answer."""
        response = await self.client.request(method, path, **more)
        self.check(response)
        return response

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("POST", path, **more)

    async def problem(self, status: int, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask for something that is refused with this status; the problem."""
        response = await self.ask(method, path, **more)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        found: dict[str, Any] = response.json()
        assert found["status"] == status
        assert found["code"]
        return found

    async def run(self, name: str = "hello", **inputs: Any) -> str:
        """Accept an execution; its id."""
        if not (self.files / f"{name}.yaml").exists():
            self.workflow(name, HELLO.replace("name: hello", f"name: {name}"))
        return await self.service.run(name, {"who": "you", **inputs})

    async def append(self, execution: str, *facts: AnyFact, wake: bool = True) -> None:
        """Be the engine: claim the execution once, and append what happened, at the clock's time."""
        if execution not in self._owned:
            (claim,) = await self.store.claim("engine", free=(), limit=1, only=[execution])
            self._owned[execution] = claim.ownership
        head = (await self.store.heads([execution]))[execution]
        entries = [
            Entry(head.last_seq + 1 + index, self.clock.now(), fact) for index, fact in enumerate(facts)
        ]
        await self.store.append(self._owned[execution], entries)
        if wake:
            self.app.feeds.wake()

    def view(self, execution: str, query: str = "", **headers: str) -> Viewer:
        """Open an event stream."""
        return Viewer(self.app, f"/api/executions/{execution}/events", query, headers)

    def check(self, response: httpx.Response) -> None:
        """Hold an answer against the API's description, where that has its path."""
        if not _description:
            _description.update(self.app.description.document)
        document = _description
        operation = _operation(document, response.request)
        if operation is None or response.request.method == "HEAD":
            return
        assert str(response.status_code) in operation["responses"], response.text
        content = operation["responses"][str(response.status_code)].get("content", {})
        kind = response.headers.get("content-type", "").partition(";")[0]
        if not content:
            assert not response.content
            return
        (described,) = content.items()
        assert described[0].partition(";")[0] == kind
        if kind.endswith("json"):
            schema = {**described[1]["schema"], "components": document["components"]}
            jsonschema.validate(response.json(), schema)


def _operation(document: Mapping[str, Any], request: httpx.Request) -> Any:
    for template, item in document["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, request.url.path.rstrip("/")):
            return item.get(request.method.lower())
    return None


class Viewer:
    """A client of an event stream, driven by hand. ``hold`` keeps the server from sending on."""

    def __init__(
        self, app: Any, path: str, query: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        raw = [
            (b"host", b"localhost"),
            *((k.replace("_", "-").encode(), v.encode()) for k, v in (headers or {}).items()),
        ]
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": raw,
            "state": {},
        }
        self._app = app
        self._sent: asyncio.Queue[Any] = asyncio.Queue()
        self._left = asyncio.Event()
        self._asked = False
        self.free = asyncio.Event()
        self.free.set()
        self.sends = 0
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Viewer:
        self.task = asyncio.create_task(self._app(self._scope, self._receive, self._send))
        self.start = await self._next()
        assert self.start["type"] == "http.response.start"
        self.status = self.start["status"]
        self.headers = {name.decode(): value.decode() for name, value in self.start["headers"]}
        return self

    async def __aexit__(self, *error: object) -> None:
        self.free.set()
        self.leave()
        assert self.task is not None
        await asyncio.wait_for(self.task, 5)

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    def hold(self) -> None:
        """Read no further until ``free`` is set."""
        self.free.clear()

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sends += 1
        await self._sent.put(message)
        await self.free.wait()

    async def _next(self) -> Any:
        return await asyncio.wait_for(self._sent.get(), 5)

    async def data(self) -> bytes | None:
        """The next piece of the body; None at its end."""
        message = await self._next()
        return message["body"] if message["more_body"] else None

    async def events(self, count: int | None = None) -> list[Event]:
        """The next events, ``count`` of them, or all to the end of the stream."""
        found: list[Event] = []
        while count is None or len(found) < count:
            data = await self.data()
            if data is None:
                assert count is None, f"the stream ended after {found}"
                return found
            found += parse(data)
        assert count == len(found)
        return found

    def nothing_sent(self) -> bool:
        """Whether nothing has come that was not asked for."""
        return self._sent.empty()


class Event(tuple[int, str, dict[str, Any]]):
    """Id, name, data."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return self[1]

    @property
    def data(self) -> dict[str, Any]:
        return self[2]


def parse(frames: bytes) -> list[Event]:
    """The events of some whole frames; comments are left out."""
    assert frames.endswith(b"\n\n")
    found = []
    for frame in frames.decode().removesuffix("\n\n").split("\n\n"):
        if frame.startswith(":"):
            continue
        event, number, data = frame.split("\n")
        name = event.removeprefix("event: ")
        found.append(Event((int(number.removeprefix("id: ")), name, json.loads(data.removeprefix("data: ")))))
    return found


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(100):
        await asyncio.sleep(0)


def scenario(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """An async test over a Bench; other arguments are the test's parameters."""

    @functools.wraps(test)
    def run(tmp_path: Path, **parameters: Any) -> None:
        async def inside() -> None:
            await test(Bench(tmp_path), **parameters)

        asyncio.run(inside())

    names = list(test.__code__.co_varnames[1 : test.__code__.co_argcount])
    return _with_signature(run, ["tmp_path", *names])


def _with_signature(run: Callable[..., None], names: list[str]) -> Callable[..., None]:
    import inspect

    kinds = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    run.__signature__ = inspect.Signature(kinds)  # type: ignore[attr-defined]
    del run.__wrapped__  # type: ignore[attr-defined]
    return run
