"""Noticing that PostgreSQL has stopped answering: its processes are frozen, or the network swallows what is sent.

Nothing ends by itself then. A statement waits for `QUERY_SECONDS` and its cancellation for as long as connecting may take, the pool's other users
wait behind it, and nobody is told anything for 40 seconds.
"""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog

from db.connections import DISCONNECT_ERRORS

__all__ = ["LivenessMonitor"]

_log = structlog.get_logger("rollcall.pool")

_LOOKS_EVERY = 0.25
# On a machine that is busy with other things, connecting takes a tenth of it.
_PROBE_SECONDS = 1.0
_PROBES_AGAIN_AFTER = 0.5


class LivenessMonitor:
    """Watches a pool: `run()` is its task. Costs a statement nothing.

    `lent()` counts the connections that are in use or asked for, `returned()` all that were ever given back. When some are in use and none comes back
    for a quarter of a second, PostgreSQL is asked on a connection of its own, by `url`, and when that is not answered within a second either,
    `is_unresponsive` becomes true and `on_unresponsive()` is called. A statement that takes long is no silence: the probe is answered beside it.
    """

    def __init__(self, url: str, lent: Callable[[], int], returned: Callable[[], int], on_unresponsive: Callable[[], None]) -> None:
        self._url = url
        self._lent = lent
        self._returned = returned
        self._on_unresponsive = on_unresponsive
        self.is_unresponsive = False

    async def run(self) -> None:
        """Looks for ever: run it as a task. Takes at most a second and a half to notice, and half a second to notice the end."""
        seen = -1
        while True:
            await asyncio.sleep(_PROBES_AGAIN_AFTER if self.is_unresponsive else _LOOKS_EVERY)
            if self.is_unresponsive:
                self.is_unresponsive = not await self.answers()
                if not self.is_unresponsive:
                    _log.warning("PostgreSQL answers again")
            elif not self._lent():
                seen = -1
            elif self._returned() != seen:
                seen = self._returned()
            else:
                if not await self.answers() and self._returned() == seen:
                    self.is_unresponsive = True
                    _log.error("PostgreSQL does not answer: its connections are cut, and requests are refused until it does")
                    self._on_unresponsive()
                seen = -1

    async def answers(self) -> bool:
        """Whether PostgreSQL answers a new connection within a second. A refusal is an answer."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                connection = await asyncpg.connect(
                    self._url, timeout=_PROBE_SECONDS, statement_cache_size=0, server_settings={"application_name": "rollcall-liveness"}
                )
                try:
                    await connection.fetchval("SELECT 1")
                finally:
                    # Not close(): that waits for an answer, and this one may never come.
                    connection.terminate()
        except (TimeoutError, BlockingIOError):  # the second: nobody accepts connections, and no more can wait for that
            return False
        except (*DISCONNECT_ERRORS, asyncpg.PostgresError):
            return True
        return True
