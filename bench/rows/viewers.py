"""A thousand viewers of one execution: does each get every event once and in order, and how soon?"""

from __future__ import annotations

from collections.abc import Iterator

from bench.context import Context
from bench.figures import Figure, milliseconds, percentile
from bench.peers import Peer
from bench.workflows import sequence

VIEWERS = 1000
PAUSE_MS = 100


def measure(context: Context) -> Iterator[Figure]:
    """All join before the first step goes on; each step prints a line and writes the time as its last act."""
    steps = context.many(40, 12)
    gate, fifo = context.fifo("gate"), context.fifo("viewers")
    stamped = f"echo line; {context.floor.stamp(fifo, PAUSE_MS)}"
    workflow = sequence("show", [f"read go < {gate.path}", *[stamped] * steps])
    with context.server("viewers", {"show": workflow}) as server:
        client = server.client()
        execution = client.run("show")
        with Peer("viewers", server.port, execution, VIEWERS) as crowd:
            crowd.hear()
            gate.let_go()
            seen = crowd.hear()
        truth = [frame.id for frame in client.watch(execution)]
    right = sum(ids == truth for ids in seen["ids"])
    yield Figure(
        what="viewers that lost, repeated or mixed up events",
        value=VIEWERS - right,
        unit="",
        limit=0,
        of=f"{VIEWERS:,} viewers, {len(truth)} events each",
    )
    whole = [arrivals for arrivals in seen["completed"] if len(arrivals) == steps + 1]
    waits = _waits([arrivals[1:] for arrivals in whole], fifo.stamps(steps))
    bare = _bare(seen["payload"][1:])
    for q in (50, 99):
        yield Figure(
            what=f"step's command ended -> a viewer has the event, p{q}",
            value=percentile(waits, q),
            unit="ms",
            floor=percentile(bare, q),
            floor_is="a bare asyncio server writing the same bytes to as many sockets",
            of=f"{len(waits):,} deliveries (viewers' own processor time {seen['cpu']:.1f} s)",
        )


def _bare(payload: list[str]) -> list[float]:
    """The same viewers at a server that does nothing but write."""
    with Peer("fanout", VIEWERS, PAUSE_MS) as server:
        server.tell(payload)
        with Peer("viewers", server.hear(), "none", VIEWERS) as crowd:
            crowd.hear()
            seen = crowd.hear()
        return _waits(seen["completed"], server.hear())


def _waits(arrivals: list[list[int]], stamps: list[int]) -> list[float]:
    """Milliseconds from stamp to arrival, for every viewer."""
    return [milliseconds(at - stamp) for viewer in arrivals for at, stamp in zip(viewer, stamps, strict=True)]
