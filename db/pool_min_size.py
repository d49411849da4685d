"""Keeps POOL_MIN_SIZE connections open in an idle pool."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from db.connections import DISCONNECT_ERRORS

__all__ = ["maintain_min_size"]

_log = structlog.get_logger("rollcall.pool")


async def maintain_min_size(pool: "asyncpg.Pool[Any]", min_size: int, interval: float, connect_timeout: float) -> None:
    """Checks every `interval` seconds that the pool has `min_size` connections, in use or idle, and opens missing ones. Run it as a task.

    asyncpg does this only when it notices that a connection has ended: one that the server closed while it was idle may be found dead
    only when it is next used. If the server is unreachable, logs a warning and tries again. Durations are in seconds.
    """
    while True:
        await asyncio.sleep(interval)
        if pool.get_size() >= min_size:
            continue
        # asyncpg opens a connection only if none is idle, so the idle ones are acquired first. Connections in use count towards `min_size`.
        in_use = pool.get_size() - pool.get_idle_size()
        acquired: list[Any] = []
        try:
            for _ in range(min_size - in_use):
                acquired.append(await pool.acquire(timeout=connect_timeout))  # noqa: PERF401 - those acquired so far must be released
        except (*DISCONNECT_ERRORS, asyncpg.PostgresError, TimeoutError) as error:
            _log.warning("the pool cannot open its minimum number of connections", error=type(error).__name__)
        finally:
            for connection in acquired:
                with suppress(*DISCONNECT_ERRORS, TimeoutError):
                    await pool.release(connection)
