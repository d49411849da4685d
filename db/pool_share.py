"""Limits one kind of work to a share of the pool (a bulkhead), so that a flood of it leaves connections for everything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from db.fifo_semaphore import FifoSemaphore
from db.pool import Database, PoolTimeoutError

__all__ = ["PoolShare"]


class PoolShare:
    """Runs statements of a Database on at most `connections` of its connections at a time, first come, first served.

    Raises PoolTimeoutError after waiting `within` seconds for a connection of the share, and the errors of the Database.
    """

    def __init__(self, database: Database, connections: int, within: float) -> None:
        self._database = database
        self._slots = FifoSemaphore(connections)
        self._within = within

    async def fetch(self, sql: str, *arguments: Any, record_class: Any = None) -> list[Any]:
        async with self._slot():
            return await self._database.fetch(sql, *arguments, record_class=record_class)

    async def fetchrow(self, sql: str, *arguments: Any, record_class: Any = None) -> Any:
        async with self._slot():
            return await self._database.fetchrow(sql, *arguments, record_class=record_class)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        async with self._slot():
            return await self._database.fetchval(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        async with self._slot():
            return await self._database.execute(sql, *arguments)

    @asynccontextmanager
    async def transaction(self, *, user_id: UUID | None = None, request_id: str | None = None) -> AsyncIterator[Any]:
        async with self._slot(), self._database.transaction(user_id=user_id, request_id=request_id) as connection:
            yield connection

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if not self._slots.try_acquire():
            try:
                async with asyncio.timeout(self._within):
                    await self._slots.acquire()
            except TimeoutError:
                raise PoolTimeoutError("no connection of this share became free in time") from None
        try:
            yield
        finally:
            self._slots.release()
