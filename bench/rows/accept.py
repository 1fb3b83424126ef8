"""Ten thousand executions posted by fifty clients while every slot is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bench.client import Client
from bench.context import Context
from bench.figures import Figure, NotMeasured, percentile
from bench.peers import Peer
from bench.processes import peak_memory, proportional_memory
from bench.server import Server, pause
from bench.workflows import sequence

CLIENTS = 50
SLOTS = 16
PAGE = 1000


def measure(context: Context) -> Iterator[Figure]:
    """Sixteen executions sleep in the slots; the rest must be accepted, durably, and wait."""
    count = context.many(10_000, 2_000)
    workflows = {"sleeper": sequence("sleeper", ["sleep 3600"]), "short": sequence("short", [":"])}
    with context.server("accept", workflows, AWF_SLOTS=str(SLOTS)) as server:
        client = server.client()
        sleeping = _fill_slots(client)
        before = _memory(server)
        path = f"/api/executions/{sleeping}"
        with Peer("crowd", server.port, CLIENTS, count, "/api/workflows/short/run", path) as crowd:
            seen = crowd.hear()
        pending = _pending(client)
        after = _memory(server)
        peak = peak_memory(server.pid) + peak_memory(server.wait_for_engine())
    bare = _bare(context, count)
    load = f"{CLIENTS} clients, {count / seen['wall']:,.0f}/s; their own processor time {seen['cpu']:.1f} s"
    lost = len(set(seen["accepted"]) - pending) + len(seen["refused"])
    yield Figure(
        what=f"of {count:,} executions posted, refused or lost", value=lost, unit="", limit=0, of=load
    )
    for what, key, q in (
        ("POST run under this load, p50", "posts", 50),
        ("POST run under this load, p99", "posts", 99),
        ("GET execution meanwhile, p99", "gets", 99),
    ):
        yield Figure(
            what=what,
            value=percentile(seen[key], q),
            unit="ms",
            floor=percentile(bare[key], q),
            floor_is="a bare asyncio server and one grouped durable append",
            limit=50.0 if q == 99 else None,
            of=f"{len(seen[key]):,} requests",
        )
    yield Figure(
        what="peak memory of both processes under this load",
        value=peak / 1e6,
        unit="MB",
        of="resident, VmHWM",
    )
    yield Figure(
        what="memory per pending execution",
        value=max(0.0, (after - before) / count / 1000),
        unit="kB",
        limit=10.0,
        of="growth of both processes (PSS)",
    )


def _fill_slots(client: Client) -> str:
    """Run a sleeper in each slot; the id of one of them."""
    execution = ""
    for _ in range(SLOTS):
        execution = client.run("sleeper")
    for _ in range(600):
        if len(client.get("/api/executions?status=running")["executions"]) == SLOTS:
            return execution
        pause(0.05)
    raise NotMeasured(f"no {SLOTS} executions run at once")


def _pending(client: Client) -> set[str]:
    """The ids of all pending executions, read page by page."""
    found: set[str] = set()
    path: str | None = f"/api/executions?status=pending&limit={PAGE}"
    while path:
        answer = client.answer("GET", path)
        found.update(entry["execution_id"] for entry in json.loads(answer.body)["body"]["executions"])
        path = answer.next_page
    return found


def _memory(server: Server) -> int:
    return proportional_memory(server.pid) + proportional_memory(server.wait_for_engine())


def _bare(context: Context, count: int) -> dict[str, Any]:
    log = context.directory("accept") / "log"
    with (
        Peer("acceptor", str(log)) as server,
        Peer("crowd", server.hear(), CLIENTS, count, "/", "/") as crowd,
    ):
        seen: dict[str, Any] = crowd.hear()
    return seen
