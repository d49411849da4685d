"""Whether the database can grow. A statement that failed for want of space says that it cannot; only a trial says that it can again."""

import asyncio
from typing import Any

import asyncpg
import structlog

__all__ = ["IS_FULL", "DiskFullMonitor"]

_log = structlog.get_logger("rollcall.disk_full")

# The number of the advisory lock that a process holds while the database cannot grow: so every worker and server of the database knows.
IS_FULL = """
SELECT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted
        AND (l.classid::bigint << 32 | l.objid::bigint) = 7205759405 AND l.objsubid = 1
)
"""
_TAKE_LOCK = "SELECT pg_advisory_lock_shared(7205759405)"
# Of the file systems that the tables and indexes lie on.
_TABLESPACES = """
SELECT DISTINCT t.spcname
FROM pg_class c JOIN pg_database d ON d.datname = current_database() JOIN pg_tablespace t ON t.oid = coalesce(nullif(c.reltablespace, 0), d.dattablespace)
WHERE c.relnamespace = ANY (current_schemas(false)::regnamespace[]) AND c.relkind IN ('r', 'i', 'm') ORDER BY 1
"""
# Some 180 kB: more than a statement adds to a table at once, and nothing to a disk that has room again.
_GROW = "CREATE TEMPORARY TABLE rollcall_growth TABLESPACE {} AS SELECT md5(n::text) AS filler FROM generate_series(1, 3000) AS n"
_TRIALS_APART = (1.0, 2.0, 4.0)
_TRIAL_SECONDS = 10.0
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class DiskFullMonitor:
    """Knows whether the database is full from the first statement that failed for it until a trial succeeds. `url` leads to PostgreSQL directly."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._trying: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return self._trying is not None and not self._trying.done()

    def report_full(self) -> None:
        """Notes that a statement failed for want of space. Costs nothing while that is known."""
        if not self.is_full:
            _log.error("the database's disk is full: nothing can be saved until there is room")
            self._trying = asyncio.create_task(self._until_it_grows())

    def stop(self) -> None:
        if self._trying is not None:
            self._trying.cancel()

    async def _until_it_grows(self) -> None:
        trials = 0
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url,
                    timeout=_TRIAL_SECONDS,
                    command_timeout=_TRIAL_SECONDS,
                    server_settings={"application_name": "rollcall-disk-full"},
                )
                try:
                    await connection.execute(_TAKE_LOCK)
                    while True:
                        await asyncio.sleep(_TRIALS_APART[min(trials, len(_TRIALS_APART) - 1)])
                        trials += 1
                        if await _grows(connection):
                            _log.warning("the database can grow again")
                            return
                finally:
                    connection.terminate()
            except _FAILURES:
                # PostgreSQL itself may be down for want of space: it is not known to be better.
                await asyncio.sleep(_TRIALS_APART[0])


async def _grows(connection: Any) -> bool:
    """Whether a table can grow on every file system that has tables. What is written is taken back."""
    for row in await connection.fetch(_TABLESPACES):
        trial = connection.transaction()
        await trial.start()
        try:
            await connection.execute(_GROW.format('"' + row["spcname"].replace('"', '""') + '"'))
        except asyncpg.DiskFullError:
            return False
        except asyncpg.InsufficientPrivilegeError:
            pass  # what cannot be tried is left to the next statement that fails
        finally:
            await trial.rollback()
    return True
