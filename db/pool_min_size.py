"""Keeping the pool's smallest number of connections open, however long nobody asks for one."""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from db.connections import DISCONNECT_ERRORS

__all__ = ["maintain_min_size"]

_log = structlog.get_logger("rollcall.pool")


async def maintain_min_size(pool: "asyncpg.Pool[Any]", at_least: int, every: float, within: float) -> None:
    """Opens what is missing to `at_least` connections, looking every so many seconds, for ever: run it as a task.

    asyncpg does so when it sees a connection end, and it does not see all: one that the server has closed while it lay idle may be found dead
    only when it is next in turn. Those that are lent count. A server that is away is no error: it is logged, and tried again. `within` bounds each
    connecting, in seconds.
    """
    while True:
        await asyncio.sleep(every)
        if pool.get_size() >= at_least:
            continue
        # asyncpg opens one only where no open one is free, so those are taken first. With the lent ones counted, none is opened beyond `at_least`.
        lent = pool.get_size() - pool.get_idle_size()
        taken: list[Any] = []
        try:
            for _ in range(at_least - lent):
                taken.append(await pool.acquire(timeout=within))  # noqa: PERF401 - those taken are given back
        except (*DISCONNECT_ERRORS, asyncpg.PostgresError, TimeoutError) as error:
            _log.warning("the pool cannot be kept warm", error=type(error).__name__)
        finally:
            for connection in taken:
                with suppress(*DISCONNECT_ERRORS, TimeoutError):
                    await pool.release(connection)
