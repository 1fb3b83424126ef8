"""Event streams, each viewer driven by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from awf.errors import ReplayDiverged, StoreUnavailable
from awf.journal.events import (
    CancelRequested,
    Entry,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionStarted,
    StateEntered,
)
from awf.stores.memory import MemoryStore
from awf.testing.builders import step_completed, step_output, step_started
from unit.server.bench import Bench, Event, scenario, settle

ENTERED = StateEntered(state="build", path="build", kind="step", via="initial")
DONE = ExecutionCompleted(state="done")


class CountingStore(MemoryStore):
    """Counts what is read, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[tuple[int, int]] = []
        self.failure: Exception | None = None
        self.damaged = ""

    async def journal(
        self, execution: str, *, after: int = 0, limit: int = 1000, types: Collection[str] | None = None
    ) -> list[Entry]:
        if self.failure is not None and self.damaged in {"", execution}:
            raise self.failure
        self.pages.append((after, limit))
        return await super().journal(execution, after=after, limit=limit, types=types)


async def story(bench: Bench, outputs: int = 3) -> str:
    """A finished execution of one step."""
    execution = await bench.run()
    await bench.append(execution, ExecutionStarted(engine="e"), ENTERED, step_started())
    for number in range(outputs):
        await bench.append(execution, step_output(1, f"{number}\n"))
    await bench.append(execution, step_completed(stdout_bytes=2 * outputs), DONE)
    return execution


async def whole(bench: Bench, execution: str, query: str = "", **headers: str) -> list[Event]:
    async with bench.view(execution, query, **headers) as viewer:
        assert viewer.status == 200
        return await viewer.events()


@scenario
async def test_a_finished_execution_is_replayed_whole(bench: Bench) -> None:
    execution = await story(bench)
    async with bench.view(execution) as viewer:
        assert viewer.headers["content-type"].startswith("text/event-stream")
        assert viewer.headers["cache-control"] == "no-store"
        assert viewer.headers["x-accel-buffering"] == "no"
        events = await viewer.events()
    assert [event[:2] for event in events] == [
        (4, "step.started"),
        (5, "output"),
        (6, "output"),
        (7, "output"),
        (8, "step.completed"),
        (9, "workflow.completed"),
    ]
    assert events[-2].data["output"] == "0\n1\n2\n"


@scenario
async def test_what_there_is_now_is_shown_and_no_more(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, ExecutionStarted(engine="e"), ENTERED, step_started())
    assert [event.name for event in await whole(bench, execution, "follow=false")] == ["step.started"]
    assert await whole(bench, execution, "follow=false", **{"last-event-id": "4"}) == []
    await bench.append(execution, step_output(1, "x"))
    names = [event.name for event in await whole(bench, execution, "follow=false&events=all")]
    assert names[0] == "execution.accepted"
    assert names[-2:] == ["step.started", "output"]
    async with bench.view(execution, "follow=perhaps") as viewer:
        assert viewer.status == 400


@scenario
async def test_a_viewer_of_what_is_removed_meanwhile_is_let_go(bench: Bench) -> None:
    execution = await story(bench)
    await story(bench)
    row = await bench.store.execution(execution)
    assert row is not None
    await bench.store.prune(keep=1)
    with bench.app.feeds.watch(row) as feed:
        await asyncio.wait_for(feed.changed(asyncio.get_running_loop().create_future()), 10)
        assert feed.closed


@scenario
async def test_a_live_viewer_gets_each_event_as_it_comes(bench: Bench) -> None:
    execution = await bench.run()
    async with bench.view(execution) as viewer:
        await settle()
        assert viewer.nothing_sent()
        await bench.append(execution, ExecutionStarted(engine="e"), ENTERED)
        await settle()
        assert viewer.nothing_sent()
        await bench.append(execution, step_started())
        assert (await viewer.events(1))[0].name == "step.started"
        await bench.append(execution, step_output(1, "hi"))
        assert (await viewer.events(1))[0].data["output"] == "hi"
        await bench.append(execution, CancelRequested(), ExecutionCancelled())
        (last,) = await viewer.events()
        assert (last.name, last.data["status"], last.data["error"]) == (
            "workflow.failed",
            "cancelled",
            "cancelled",
        )
    assert len(bench.app.feeds) == 0


@scenario
async def test_all_events_are_the_whole_journal(bench: Bench) -> None:
    execution = await story(bench)
    events = await whole(bench, execution, "events=all")
    assert [event[0] for event in events] == list(range(1, 10))
    assert [event.name for event in events][:3] == [
        "execution.accepted",
        "execution.started",
        "state.entered",
    ]
    assert await whole(bench, execution, "events=default") == [event for event in events if event[0] > 3]
    await bench.problem(400, "GET", f"/api/executions/{execution}/events?events=some")


@scenario
async def test_a_viewer_goes_on_after_what_it_has_had(bench: Bench) -> None:
    execution = await story(bench)
    events = await whole(bench, execution)
    for index, event in enumerate(events[:-1]):
        number = str(event[0])
        assert await whole(bench, execution, last_event_id=number) == events[index + 1 :]
        assert await whole(bench, execution, f"last_event_id={number}") == events[index + 1 :]
    assert await whole(bench, execution, "last_event_id=4", last_event_id="7") == events[4:]


@pytest.mark.parametrize("given", ["0", "-1", "10", "999999999", "9" * 30, "abc", "", "5x", "3"])
@scenario
async def test_an_id_that_was_never_given_replays_from_the_start(bench: Bench, given: str) -> None:
    execution = await story(bench)
    assert await whole(bench, execution, last_event_id=given) == await whole(bench, execution)


@scenario
async def test_an_id_that_only_all_viewers_have_counts_for_them(bench: Bench) -> None:
    execution = await story(bench)
    assert (await whole(bench, execution, "events=all", last_event_id="3"))[0][0] == 4


@scenario
async def test_who_has_had_everything_of_a_finished_execution_gets_204(bench: Bench) -> None:
    execution = await story(bench)
    for query, headers in (
        ("", {"last_event_id": "9"}),
        ("last_event_id=9", {}),
        ("events=all&last_event_id=9", {}),
    ):
        async with bench.view(execution, query, **headers) as viewer:
            assert viewer.status == 204
            assert await viewer.data() is None
    response = await bench.get(f"/api/executions/{execution}/events", headers={"Last-Event-ID": "9"})
    assert response.status_code == 204


@scenario
async def test_who_has_had_everything_of_a_running_execution_waits(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, step_started())
    async with bench.view(execution, last_event_id="2") as viewer:
        assert viewer.status == 200
        await settle()
        assert viewer.nothing_sent()
        await bench.append(execution, DONE)
        assert [event[0] for event in await viewer.events()] == [3]


def with_store(test: Any) -> Any:
    def run(tmp_path: Path) -> None:
        asyncio.run(test(Bench(tmp_path, CountingStore())))

    run.__name__ = test.__name__
    return run


@with_store
async def test_many_viewers_cost_one_reading(bench: Bench) -> None:
    assert isinstance(bench.store, CountingStore)
    execution = await bench.run()
    viewers = [bench.view(execution) for _ in range(200)]
    for viewer in viewers:
        await viewer.__aenter__()
    await settle()
    bench.store.pages.clear()
    await bench.append(execution, step_started())
    assert {(await viewer.events(1))[0][0] for viewer in viewers} == {2}
    assert bench.store.pages == [(1, 100)]
    for viewer in viewers:
        await viewer.__aexit__()
    assert len(bench.app.feeds) == 0


@with_store
async def test_what_has_not_grown_is_not_read(bench: Bench) -> None:
    assert isinstance(bench.store, CountingStore)
    executions = [await bench.run() for _ in range(20)]
    viewers = [bench.view(execution) for execution in executions]
    for viewer in viewers:
        await viewer.__aenter__()
    await settle()
    bench.store.pages.clear()
    await bench.append(executions[3], step_started())
    assert (await viewers[3].events(1))[0].name == "step.started"
    assert bench.store.pages == [(1, 100)]
    for viewer in viewers:
        await viewer.__aexit__()


@scenario
async def test_who_wakes_the_server_is_told_whether_anybody_watches(bench: Bench) -> None:
    told: list[bool] = []
    bench.app.feeds.on_watched = told.append
    one, two = await bench.run(), await bench.run()
    async with bench.view(one), bench.view(one), bench.view(two):
        assert told == [True]
    assert told == [True, False]


@with_store
async def test_late_viewers_of_a_watched_execution_read_nothing(bench: Bench) -> None:
    assert isinstance(bench.store, CountingStore)
    execution = await bench.run()
    await bench.append(execution, step_started(), *(step_output(1, str(number)) for number in range(50)))
    async with bench.view(execution) as first:
        await first.events(51)
        bench.store.pages.clear()
        for _ in range(5):
            async with bench.view(execution) as late:
                assert len(await late.events(51)) == 51
        assert bench.store.pages == []


@with_store
async def test_a_viewer_far_behind_reads_for_itself_and_loses_nothing(bench: Bench) -> None:
    assert isinstance(bench.store, CountingStore)
    execution = await bench.run()
    await bench.append(execution, step_started())
    async with bench.view(execution) as fast, bench.view(execution) as slow:
        await slow.events(1)
        await fast.events(1)
        slow.hold()
        for number in range(200):
            await bench.append(execution, step_output(1, f"{number}:" + "x" * 16_000))
            await fast.events(1)
        bench.store.pages.clear()
        await bench.append(execution, step_completed(), DONE)
        assert [event.name for event in await fast.events()] == ["step.completed", "workflow.completed"]
        assert slow.sends <= 3
        slow.free.set()
        events = await slow.events()
        assert [event[0] for event in events] == list(range(3, 205))
        assert [event.data["output"].partition(":")[0] for event in events[:-2]] == [
            str(n) for n in range(200)
        ]
        assert max(limit for _, limit in bench.store.pages) <= 100
        assert len(bench.store.pages) > 10


@with_store
async def test_pages_of_a_viewer_are_small(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, step_started(), *(step_output(1, "x" * 16_000) for _ in range(300)), DONE)
    async with bench.view(execution) as viewer:
        largest, seen = 0, 0
        while (data := await viewer.data()) is not None:
            largest = max(largest, len(data))
            seen += data.count(b"\nid: ")
        assert seen == 302
        assert largest < 128 * 1024


@scenario
async def test_a_long_journal_is_replayed_from_its_first_entry(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(
        execution, step_started(), *(step_output(1, str(number)) for number in range(5000)), DONE
    )
    events = await whole(bench, execution)
    assert [event[0] for event in events] == list(range(2, 5004))


@scenario
async def test_a_long_journal_behind_the_scenes_ends_in_its_one_event(bench: Bench) -> None:
    execution = await bench.run()
    await bench.append(execution, *(ENTERED for _ in range(3000)), DONE)
    assert [event[0] for event in await whole(bench, execution)] == [3002]


@with_store
async def test_a_viewer_that_leaves_is_noticed_while_nothing_happens(bench: Bench) -> None:
    execution = await bench.run()
    async with bench.view(execution) as stays:
        async with bench.view(execution) as leaves:
            await settle()
            leaves.leave()
            assert leaves.task is not None
            await asyncio.wait_for(leaves.task, 5)
        assert len(bench.app.feeds) == 1
        await bench.append(execution, DONE)
        assert len(await stays.events()) == 1
    assert len(bench.app.feeds) == 0
    assert bench.app.gate._inside == 0


def test_an_idle_stream_gets_a_comment(tmp_path: Path) -> None:
    async def watch() -> None:
        bench = Bench(tmp_path, heartbeat=0.05)
        bench.app.feeds._tick = 0.02
        execution = await bench.run()
        async with bench.view(execution) as one, bench.view(execution) as two:
            for viewer in (one, two, one):
                assert await viewer.data() == b": ping\n\n"
            await bench.append(execution, DONE)
            assert [event.name for event in await one.events()] == ["workflow.completed"]

    asyncio.run(watch())


def test_a_lost_wake_up_costs_a_tick(tmp_path: Path) -> None:
    async def watch() -> None:
        bench = Bench(tmp_path)
        bench.app.feeds._tick = 0.02
        execution = await bench.run()
        async with bench.view(execution) as viewer:
            await settle()
            await bench.append(execution, DONE, wake=False)
            assert [event.name for event in await viewer.events()] == ["workflow.completed"]

    asyncio.run(watch())


@with_store
async def test_streams_outlast_a_store_that_is_away_for_a_while(bench: Bench) -> None:
    assert isinstance(bench.store, CountingStore)
    execution = await bench.run()
    async with bench.view(execution) as viewer:
        await settle()
        bench.store.failure = StoreUnavailable("the disk is away")
        await bench.append(execution, step_started())
        await settle()
        assert viewer.nothing_sent()
        bench.store.failure = None
        await bench.append(execution, DONE)
        assert [event.name for event in await viewer.events()] == ["step.started", "workflow.completed"]


@with_store
async def test_a_damaged_journal_ends_its_own_streams_only(bench: Bench) -> None:
    assert isinstance(bench.store, CountingStore)
    damaged, sound = await bench.run(), await bench.run()
    async with bench.view(damaged) as first, bench.view(sound) as second:
        await settle()
        bench.store.failure, bench.store.damaged = ReplayDiverged("cannot be read"), damaged
        await bench.append(damaged, step_started())
        await bench.append(sound, step_started())
        assert await first.events() == []
        assert (await second.events(1))[0].name == "step.started"


@scenario
async def test_closing_the_feeds_ends_every_stream(bench: Bench) -> None:
    execution = await bench.run()
    async with bench.view(execution) as viewer:
        await bench.append(execution, step_started())
        await viewer.events(1)
        bench.app.feeds.close()
        assert await viewer.events() == []
    assert await whole(bench, execution) == []
