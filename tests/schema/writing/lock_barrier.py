"""Holds locks in a concurrent transaction until all requests that should meet there wait for them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.graphql_school import School

__all__ = ["all_at_once", "concurrent_transaction"]

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@asynccontextmanager
async def concurrent_transaction(school: School) -> AsyncIterator[tuple[Any, Callable[..., Awaitable[None]]]]:
    """Runs a concurrent transaction that is committed after the block; yields it with a function that waits until others wait for locks."""
    connection = await asyncpg.connect(school.url)

    async def somebody_waits(count: int = 1) -> None:
        async with asyncio.timeout(30):
            while await connection.fetchval(_WAITING) < count:
                await connection.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.02)")

    try:
        async with connection.transaction():
            yield connection, somebody_waits
    finally:
        await connection.close()


async def all_at_once(
    school: School, holds: str, *arguments: Any, requests: Sequence[Coroutine[Any, Any, Any]], waiting: int | None = None
) -> list[Any]:
    """Runs requests that are all in progress before any of them can proceed, and returns their results. `holds` locks what they meet at.

    The lock is released when all of them (or `waiting` of them) wait for a lock. Without such a barrier the first is often done before the last has
    begun, so that a test would pass without the lock that it is about. The school's pool must have a connection for each that waits.
    """
    tasks = []
    try:
        async with concurrent_transaction(school) as (other, somebody_waits):
            await other.fetch(holds, *arguments)
            tasks = [asyncio.create_task(each) for each in requests]
            await somebody_waits(len(tasks) if waiting is None else waiting)
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
