"""Tracks whether the database's disk is full. A failed statement shows that it is; only a test write shows that there is space again."""

import asyncio
from typing import Any

import asyncpg
import structlog

__all__ = ["IS_FULL", "DiskFullMonitor"]

_log = structlog.get_logger("rollcall.disk_full")

# A process holds this advisory lock while the disk is full, so that every worker and server of the database knows.
IS_FULL = """
SELECT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted
        AND (l.classid::bigint << 32 | l.objid::bigint) = 7205759405 AND l.objsubid = 1
)
"""
_TAKE_LOCK = "SELECT pg_advisory_lock_shared(7205759405)"
# The tablespaces that contain tables or indexes.
_TABLESPACES = """
SELECT DISTINCT t.spcname
FROM pg_class c JOIN pg_database d ON d.datname = current_database() JOIN pg_tablespace t ON t.oid = coalesce(nullif(c.reltablespace, 0), d.dattablespace)
WHERE c.relnamespace = ANY (current_schemas(false)::regnamespace[]) AND c.relkind IN ('r', 'i', 'm') ORDER BY 1
"""
# Writes about 180 kB: more than a statement usually adds to a table, and negligible on a disk with free space.
_GROW = "CREATE TEMPORARY TABLE rollcall_growth TABLESPACE {} AS SELECT md5(n::text) AS filler FROM generate_series(1, 3000) AS n"
_TEST_INTERVALS = (1.0, 2.0, 4.0)
_TEST_SECONDS = 10.0
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class DiskFullMonitor:
    """Considers the disk full from the first statement that fails until a test write succeeds.

    `url` must connect to PostgreSQL itself, not to PgBouncer.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._testing: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        return self._testing is not None and not self._testing.done()

    def report_full(self) -> None:
        """Records that a statement failed because the disk is full. Does nothing if that is already known."""
        if not self.is_full:
            _log.error("the database's disk is full: nothing can be saved until space is freed")
            self._testing = asyncio.create_task(self._test_until_writable())

    def stop(self) -> None:
        if self._testing is not None:
            self._testing.cancel()

    async def _test_until_writable(self) -> None:
        tests = 0
        while True:
            try:
                connection = await asyncpg.connect(
                    self._url,
                    timeout=_TEST_SECONDS,
                    command_timeout=_TEST_SECONDS,
                    server_settings={"application_name": "rollcall-disk-full"},
                )
                try:
                    await connection.execute(_TAKE_LOCK)
                    while True:
                        await asyncio.sleep(_TEST_INTERVALS[min(tests, len(_TEST_INTERVALS) - 1)])
                        tests += 1
                        if await _is_writable(connection):
                            _log.warning("the database's disk has space again")
                            return
                finally:
                    connection.terminate()
            except _FAILURES:
                # PostgreSQL itself may be down because the disk is full, so the disk still counts as full.
                await asyncio.sleep(_TEST_INTERVALS[0])


async def _is_writable(connection: Any) -> bool:
    """Returns whether a table can grow in every tablespace that is in use. The test writes are rolled back."""
    for row in await connection.fetch(_TABLESPACES):
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(_GROW.format('"' + row["spcname"].replace('"', '""') + '"'))
        except asyncpg.DiskFullError:
            return False
        except asyncpg.InsufficientPrivilegeError:
            pass  # cannot be tested; the next failing statement will report it again
        finally:
            await transaction.rollback()
    return True
