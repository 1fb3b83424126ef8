from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter

import pytest

from awf.journal.projection import accepted_row, project
from awf.stores.sqlite import SqliteStore

CHILD = """
import asyncio, sys
from pathlib import Path
from awf.stores.sqlite import SqliteStore
from awf.testing.builders import claimed, entries, step_completed, step_started

async def work(store, id):
    ownership = (await claimed(store, id)).ownership
    print(id, 1, flush=True)
    step, last = 1, 1
    while True:
        await store.append(ownership, entries(last, step_started(step), step_completed(step)))
        step, last = step + 1, last + 2
        print(id, last, flush=True)

async def keep(store):
    while True:
        await store.maintain()
        await asyncio.sleep(0)

async def main(directory, round):
    store = SqliteStore.open(Path(directory))
    await asyncio.gather(keep(store), *(work(store, f"{round}-{n}") for n in range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


def _run_and_kill(directory, round, acknowledgements):
    """Let a process append until it has acknowledged so much, kill it, and return the last number acknowledged."""
    last = Counter()
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, directory, str(round)], stdout=subprocess.PIPE, text=True
    ) as process:
        for count, line in enumerate(process.stdout):
            if line.endswith("\n"):
                id, seq = line.split()
                last[id] = int(seq)
            if count == acknowledgements:
                process.kill()
    return last


async def _journals(directory, ids):
    store = SqliteStore.open(directory)
    found = {
        id: (
            await store.journal(id, limit=100_000),
            await store.execution(id),
            await store.steps(id, limit=100_000),
        )
        for id in ids
    }
    await store.close()
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_process_leaves_what_it_acknowledged_and_no_gap(tmp_path, seed):
    chance = random.Random(seed)
    acknowledged = Counter()
    for round in range(4):
        acknowledged |= _run_and_kill(tmp_path, round, chance.randrange(1, 400))
        found = asyncio.run(_journals(tmp_path, acknowledged))
        for id, last in acknowledged.items():
            journal, row, steps = found[id]
            assert [entry.seq for entry in journal] == list(range(1, len(journal) + 1))
            # At most the one append that was under way is there beyond what was acknowledged.
            assert last <= len(journal) <= last + 2
            expected = accepted_row(id, row.order, journal[0])
            expected_steps = project(expected, journal[1:], lambda _: None)
            expected.owner = row.owner
            assert (row, steps) == (expected, list(expected_steps.values()))
