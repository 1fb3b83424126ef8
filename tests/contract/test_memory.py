from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from awf.stores.memory import MemoryStore
from awf.testing.contract import TOPICS


@asynccontextmanager
async def open_stores():
    store = MemoryStore()
    yield store, store
    await store.close()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.__name__)
def test_the_memory_store_keeps_the_contract(topic):
    asyncio.run(topic(open_stores))
