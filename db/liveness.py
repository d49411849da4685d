"""Detects that PostgreSQL has stopped responding: its processes are frozen, or the network drops all packets.

Without it a statement would wait for `QUERY_SECONDS`, then its cancellation for `CONNECT_SECONDS`, with other requests queued behind it: clients
would get no answer for 40 seconds.
"""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog

from db.connections import DISCONNECT_ERRORS

__all__ = ["LivenessMonitor"]

_log = structlog.get_logger("rollcall.pool")

_CHECK_INTERVAL = 0.25
# Connecting takes a tenth of this on a busy machine.
_PROBE_SECONDS = 1.0
_RECOVERY_CHECK_INTERVAL = 0.5


class LivenessMonitor:
    """Monitors a pool, at no cost for its statements. `run()` is its task.

    `in_use()` counts the connections that are in use or waited for, `released()` all that have ever been released. If connections are in use and
    none is released for a quarter of a second, PostgreSQL is probed on a separate connection to `url`. If the probe is not answered within
    a second, `is_unresponsive` becomes true and `on_unresponsive()` is called. A slow statement does not trigger this: the probe is answered.
    """

    def __init__(self, url: str, in_use: Callable[[], int], released: Callable[[], int], on_unresponsive: Callable[[], None]) -> None:
        self._url = url
        self._in_use = in_use
        self._released = released
        self._on_unresponsive = on_unresponsive
        self.is_unresponsive = False

    async def run(self) -> None:
        """Monitors until cancelled. Detects an unresponsive server within 1.5 seconds, and its recovery within half a second."""
        seen = -1
        while True:
            await asyncio.sleep(_RECOVERY_CHECK_INTERVAL if self.is_unresponsive else _CHECK_INTERVAL)
            if self.is_unresponsive:
                self.is_unresponsive = not await self.responds()
                if not self.is_unresponsive:
                    _log.warning("PostgreSQL responds again")
            elif not self._in_use():
                seen = -1
            elif self._released() != seen:
                seen = self._released()
            else:
                if not await self.responds() and self._released() == seen:
                    self.is_unresponsive = True
                    _log.error("PostgreSQL does not respond: its connections are closed, and requests are refused until it does")
                    self._on_unresponsive()
                seen = -1

    async def responds(self) -> bool:
        """Returns whether PostgreSQL responds to a new connection within a second. A refused connection is a response."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                connection = await asyncpg.connect(
                    self._url, timeout=_PROBE_SECONDS, statement_cache_size=0, server_settings={"application_name": "rollcall-liveness"}
                )
                try:
                    await connection.fetchval("SELECT 1")
                finally:
                    # Not close(), which waits for a response that may never come.
                    connection.terminate()
        except (TimeoutError, BlockingIOError):  # BlockingIOError: the socket's backlog is full
            return False
        except (*DISCONNECT_ERRORS, asyncpg.PostgresError):
            return True
        return True
