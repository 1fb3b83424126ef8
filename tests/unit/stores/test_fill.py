from __future__ import annotations

import asyncio

from awf.journal.projection import accepted_row, project
from awf.journal.store import ExecutionFilter
from awf.stores.sqlite import SqliteStore
from awf.testing.builders import acceptance
from awf.testing.fill import WORKFLOWS, fill


def test_a_filled_store_is_one_as_executions_make_it(tmp_path):
    async def check():
        store = SqliteStore.open(tmp_path)
        rows = await store.executions(ExecutionFilter(limit=1000))
        assert len(rows) == 300
        starts = [row.started_at for row in rows]
        assert starts == sorted(starts, reverse=True)
        counts = await store.statistics(ExecutionFilter())
        assert (counts.total, counts.completed + counts.failed + counts.cancelled) == (300, 300)
        assert counts.completed > counts.failed > 0
        for row in rows[:20]:
            journal = await store.journal(row.id)
            expected = accepted_row(row.id, row.order, journal[0])
            steps = project(expected, journal[1:], lambda _: None)
            assert (row, await store.steps(row.id)) == (expected, list(steps.values()))
        assert {row.workflow for row in rows} >= set(WORKFLOWS)
        assert await store.unfinished() == 0
        await store.accept(acceptance("next", now=0))
        [newest] = await store.executions(ExecutionFilter(limit=1))
        assert (newest.id, newest.started_at) == ("next", starts[0])
        await store.close()

    fill(tmp_path, 300, journals=20)
    asyncio.run(check())
