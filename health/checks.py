"""The checks behind the routes and the `systemHealth` field.

Each asks PostgreSQL on a connection of its own: one of the pool's can hang in its release, or be taken by somebody else for ten seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from config import VERSION, Settings
from db.disk_space import is_socket_disk_full
from db.migrate import schema_state
from db.pool import Database
from db.sql_catalog import queries
from health.disk_full import IS_FULL, DiskFullMonitor
from health.report import (
    DEGRADED,
    HEALTHY,
    UNHEALTHY,
    ActiveConnections,
    ApiCheck,
    Checks,
    DatabaseCheck,
    DatabaseReport,
    Detailed,
    IndexUse,
    System,
    TableSize,
)
from health.report import Process as ProcessFacts
from health.single_flight import SingleFlight
from health.system_metrics import SystemMetrics

__all__ = ["Health"]

# A probe is answered within two seconds: that leaves half a second for the way there and back on a machine that is busy with other things.
_PROBE_SECONDS = 1.5
# Who floods the probe, which asks nobody who they are, gets PostgreSQL to start at most twenty connections a second.
_PROBES_APART = 0.05
# All connections in use is a busy moment; none given back for so long is a pool that nobody gets a connection from.
_EXHAUSTED_SECONDS = 1.0
# From here on the database is slow: an indexed look-up takes a hundredth of it.
_SLOW_MS = 250.0
_REPORT_SECONDS = 5.0
_FULL = "the database's disk is full"
# The part of PostgreSQL's connections from which on the next worker, or a person's psql, may find none.
_NEARLY_ALL = 0.9
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class _Answer:
    """`reason`: why no request should come; `note`: what else a person should know."""

    reason: str | None
    latency: float
    note: str | None = None


class Health:
    """How this process and its database are. One a process; `in_flight` is told by the server.

    `url` is the way that requests take to the database: through PgBouncer when they go through it.
    """

    def __init__(self, database: Database, url: str, settings: Settings, in_flight: Callable[[], int] = lambda: 0) -> None:
        self._database = database
        self._url = url
        self._settings = settings
        self._in_flight = in_flight
        self._began = time.monotonic()
        self._probe = SingleFlight(self._ask, min_interval=_PROBES_APART)
        self._report_flight = SingleFlight(self._report)
        self._watching: asyncio.Task[None] | None = None
        self._storage = DiskFullMonitor(settings.direct_url or url)
        self.machine = SystemMetrics()
        self.draining = False

    def start(self) -> None:
        self._database.events.add_listener(lambda event: self._storage.report_full() if event == "disk_full" else None)
        self._watching = asyncio.create_task(self.machine.watch())

    def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        self._storage.stop()
        self._probe.stop()
        self._report_flight.stop()

    @property
    def uptime(self) -> float:
        return round(time.monotonic() - self._began, 3)

    @property
    def environment(self) -> str:
        return self._settings.environment

    @property
    def version(self) -> str:
        return VERSION

    async def not_ready_reason(self) -> str | None:
        """Why requests should not come here now; None when they may. Answers within two seconds, whatever PostgreSQL does."""
        if self.draining:
            return "draining"
        answer, has_room = await asyncio.gather(self._probe(), self._database.has_room(_EXHAUSTED_SECONDS))
        return answer.reason or (None if has_room else "pool exhausted")

    async def detailed(self) -> Detailed:
        began = time.perf_counter()
        checks = await self.checks()
        status = worst(checks.database.status, checks.api.status, self._pool_status())
        pool, system, process = self._database.metrics(), self.machine.system(), self.machine.process()
        return Detailed(status, now(), self.uptime, self.environment, self.version, _ms(began), checks, pool, system, process)

    async def checks(self) -> Checks:
        answer = await self._probe()
        if answer.reason is not None:
            database = DatabaseCheck(UNHEALTHY, answer.latency, answer.note or answer.reason)
        elif answer.latency > _SLOW_MS:
            database = DatabaseCheck(DEGRADED, answer.latency, f"slower than {_SLOW_MS:.0f} ms")
        else:
            database = DatabaseCheck(HEALTHY, answer.latency, answer.note)
        return Checks(database, ApiCheck(DEGRADED if self.draining else HEALTHY, self._in_flight()))

    async def status(self) -> str:
        checks = await self.checks()
        return worst(checks.database.status, checks.api.status, self._pool_status())

    async def database(self) -> DatabaseReport:
        """What PostgreSQL tells of itself. It not answering is `unhealthy`, not an error. Who asks at once shares one report."""
        return await self._report_flight()

    async def _report(self) -> DatabaseReport:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_REPORT_SECONDS), self._connection() as connection:
                tables = [TableSize(**row) for row in await connection.fetch(queries.largest_tables.statement().sql)]
                indexes = [IndexUse(**row) for row in await connection.fetch(queries.most_used_indexes.statement().sql)]
                activity = ActiveConnections(**await connection.fetchrow(queries.connection_activity.statement().sql))
                ratio = await connection.fetchval(queries.cache_hit_ratio.statement().sql)
        except _FAILURES:
            return DatabaseReport(UNHEALTHY, now(), _ms(began), [], [], None, None, self.pool())
        status = DEGRADED if activity.total >= _NEARLY_ALL * activity.max else HEALTHY
        return DatabaseReport(worst(status, self._pool_status()), now(), _ms(began), tables, indexes, activity, ratio, self.pool())

    def pool(self) -> Any:
        return self._database.metrics()

    def system(self) -> System:
        return self.machine.system()

    def process(self) -> ProcessFacts:
        return self.machine.process()

    def _pool_status(self) -> str:
        return DEGRADED if self._database.metrics().waiting_count > 0 and self._database.metrics().idle_count == 0 else HEALTHY

    async def _ask(self) -> _Answer:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self._connection() as connection:
                asked = time.perf_counter()
                await connection.fetchval("SELECT 1")
                latency = _ms(asked)
                state = await schema_state(connection)
                is_full = self._storage.is_full or await connection.fetchval(IS_FULL)
        except TimeoutError:
            return _Answer("the database does not answer", _ms(began))
        except _FAILURES as error:
            if is_socket_disk_full(self._url):
                return _Answer(_FULL, _ms(began))
            return _Answer(f"the database cannot be reached ({type(error).__name__})", _ms(began))
        reason = f"migrations are pending: {len(state.pending)}" if state.pending else None
        if state.refusal:
            reason = "the database is newer than this server"
        if is_full:
            return _Answer(_FULL, latency)
        return _Answer(reason, latency, state.refusal or state.newer)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(
            self._url, timeout=_PROBE_SECONDS, statement_cache_size=0, server_settings={"application_name": "rollcall-health"}
        )
        try:
            # A statement is parsed, then run: behind PgBouncer only a transaction's are sure to meet the same server connection. It is not left
            # by a ROLLBACK when something fails: that waits for an answer, too.
            await connection.execute("BEGIN READ ONLY")
            yield connection
            await connection.execute("COMMIT")
        finally:
            # Not close(): that waits for an answer, and this one may never come.
            connection.terminate()


def now() -> datetime:
    return datetime.now(UTC)


def worst(*statuses: str) -> str:
    return next((status for status in (UNHEALTHY, DEGRADED) if status in statuses), HEALTHY)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
