"""Implements the checks behind the health routes and the `systemHealth` field.

They use separate connections to PostgreSQL: a connection of the pool can hang in its release, or be in use for ten seconds.
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

# Probes are answered within two seconds. This leaves half a second for the network and a busy machine.
_PROBE_SECONDS = 1.5
# The minimum interval between probes of the database: flooding the unauthenticated route opens at most twenty connections a second.
_PROBE_INTERVAL = 0.05
# The pool counts as exhausted if all connections are in use and none is released for this long.
_EXHAUSTED_SECONDS = 1.0
# Above this latency the database is degraded. An indexed look-up takes a hundredth of it.
_SLOW_MS = 250.0
_REPORT_SECONDS = 5.0
_FULL = "the database's disk is full"
# Above this fraction of PostgreSQL's connections the database is degraded: a new worker or a psql session may not get one.
_CONNECTIONS_NEARLY_USED_UP = 0.9
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True, slots=True)
class _ProbeResult:
    """The result of a probe. `reason` says why the server is not ready (None: it is), `latency` is in ms, `note` is for the operator."""

    reason: str | None
    latency: float
    note: str | None = None


class Health:
    """The health of this process and its database. One per process.

    `url` is the address that requests use for the database: PgBouncer's, if there is one. `in_flight` returns the number of running requests.
    """

    def __init__(self, database: Database, url: str, settings: Settings, in_flight: Callable[[], int] = lambda: 0) -> None:
        self._database = database
        self._url = url
        self._settings = settings
        self._in_flight = in_flight
        self._began = time.monotonic()
        self._probe = SingleFlight(self._probe_database, min_interval=_PROBE_INTERVAL)
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
        """Returns why this process should not get requests now, or None if it is ready. Takes at most two seconds, whatever PostgreSQL does."""
        if self.draining:
            return "draining"
        probe, has_free_connection = await asyncio.gather(self._probe(), self._database.has_free_connection(_EXHAUSTED_SECONDS))
        return probe.reason or (None if has_free_connection else "pool exhausted")

    async def detailed(self) -> Detailed:
        began = time.perf_counter()
        checks = await self.checks()
        status = worst(checks.database.status, checks.api.status, self._pool_status())
        pool, system, process = self._database.metrics(), self.machine.system(), self.machine.process()
        return Detailed(status, now(), self.uptime, self.environment, self.version, _ms(began), checks, pool, system, process)

    async def checks(self) -> Checks:
        probe = await self._probe()
        if probe.reason is not None:
            database = DatabaseCheck(UNHEALTHY, probe.latency, probe.note or probe.reason)
        elif probe.latency > _SLOW_MS:
            database = DatabaseCheck(DEGRADED, probe.latency, f"slower than {_SLOW_MS:.0f} ms")
        else:
            database = DatabaseCheck(HEALTHY, probe.latency, probe.note)
        return Checks(database, ApiCheck(DEGRADED if self.draining else HEALTHY, self._in_flight()))

    async def status(self) -> str:
        checks = await self.checks()
        return worst(checks.database.status, checks.api.status, self._pool_status())

    async def database(self) -> DatabaseReport:
        """Returns PostgreSQL's statistics. An unresponsive PostgreSQL is reported as `unhealthy`. Concurrent callers share one report."""
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
        status = DEGRADED if activity.total >= _CONNECTIONS_NEARLY_USED_UP * activity.max else HEALTHY
        return DatabaseReport(worst(status, self._pool_status()), now(), _ms(began), tables, indexes, activity, ratio, self.pool())

    def pool(self) -> Any:
        return self._database.metrics()

    def system(self) -> System:
        return self.machine.system()

    def process(self) -> ProcessFacts:
        return self.machine.process()

    def _pool_status(self) -> str:
        return DEGRADED if self._database.metrics().waiting_count > 0 and self._database.metrics().idle_count == 0 else HEALTHY

    async def _probe_database(self) -> _ProbeResult:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self._connection() as connection:
                sent = time.perf_counter()
                await connection.fetchval("SELECT 1")
                latency = _ms(sent)
                state = await schema_state(connection)
                is_full = self._storage.is_full or await connection.fetchval(IS_FULL)
        except TimeoutError:
            return _ProbeResult("the database does not answer", _ms(began))
        except _FAILURES as error:
            if is_socket_disk_full(self._url):
                return _ProbeResult(_FULL, _ms(began))
            return _ProbeResult(f"the database cannot be reached ({type(error).__name__})", _ms(began))
        reason = f"migrations are pending: {len(state.pending)}" if state.pending else None
        if state.refusal:
            reason = "the database is newer than this server"
        if is_full:
            return _ProbeResult(_FULL, latency)
        return _ProbeResult(reason, latency, state.refusal or state.newer)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(
            self._url, timeout=_PROBE_SECONDS, statement_cache_size=0, server_settings={"application_name": "rollcall-health"}
        )
        try:
            # A statement is parsed, then executed: behind PgBouncer only a transaction guarantees that both reach the same server connection.
            # After an error there is no ROLLBACK, which would wait for a response.
            await connection.execute("BEGIN READ ONLY")
            yield connection
            await connection.execute("COMMIT")
        finally:
            # Not close(), which waits for a response that may never come.
            connection.terminate()


def now() -> datetime:
    return datetime.now(UTC)


def worst(*statuses: str) -> str:
    return next((status for status in (UNHEALTHY, DEGRADED) if status in statuses), HEALTHY)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
