"""Tests that the minimum number of connections is kept open without demand."""

import asyncio
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from db.pool_min_size import maintain_min_size
from tests.polling import until


@asynccontextmanager
async def kept_warm(url, at_least, lent=0):
    """Yields a pool that opens no connections by itself; `lent` of them are in use before the task that keeps its minimum open begins."""
    pool = await asyncpg.create_pool(url, min_size=0, max_size=8)
    taken = [await pool.acquire() for _ in range(lent)]
    looking = asyncio.create_task(maintain_min_size(pool, at_least, interval=0.05, connect_timeout=5))
    try:
        yield pool
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        for connection in taken:
            await pool.release(connection)
        pool.terminate()


@pytest.mark.parametrize("lent", [0, 1, 2, 3, 5])
async def test_as_many_are_opened_as_are_missing(database_url, lent):
    async with kept_warm(database_url, at_least=3, lent=lent) as pool:
        await until(lambda: pool.get_size() >= 3)
        await asyncio.sleep(0.3)  # a few more checks
        assert (pool.get_size(), pool.get_idle_size()) == (max(3, lent), max(3 - lent, 0))


async def test_those_that_lie_idle_count(database_url):
    async with kept_warm(database_url, at_least=4) as pool:
        first, second = await pool.acquire(), await pool.acquire()
        await pool.release(first)
        await until(lambda: pool.get_size() >= 4)
        await asyncio.sleep(0.3)
        assert (pool.get_size(), pool.get_idle_size()) == (4, 3)
        await pool.release(second)
