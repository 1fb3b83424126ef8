from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import pytest

from awf.stores.sqlite import SqliteStore
from awf.testing.contract import TOPICS


@asynccontextmanager
async def one_process(directory):
    store = SqliteStore.open(directory)
    try:
        yield store, store
    finally:
        await store.close()


@asynccontextmanager
async def two_processes(directory):
    """Two stores over one directory share nothing but its files."""
    one, other = SqliteStore.open(directory), SqliteStore.open(directory, durability="fast")
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


@pytest.mark.parametrize("open_stores", [one_process, two_processes], ids=lambda opened: opened.__name__)
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.__name__)
def test_the_sqlite_store_keeps_the_contract(topic, open_stores, tmp_path):
    asyncio.run(topic(partial(open_stores, tmp_path / "storage")))
