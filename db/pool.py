"""Wraps asyncpg's connection pool: bounded waiting in FIFO order, a maintained minimum size, metrics, and recovery from lost connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import asyncpg

from config import Settings
from db.connections import (
    DISCONNECT_ERRORS,
    LostConnectionError,
    acquire_idle,
    connect_options,
    has_ended,
    init_connection,
    is_closed,
    is_disconnect,
    is_disk_full,
    is_read_only,
    release_may_block,
)
from db.fifo_semaphore import FifoSemaphore
from db.liveness import LivenessMonitor
from db.pool_metrics import PoolEvents, PoolMetrics
from db.pool_min_size import maintain_min_size

__all__ = ["CommitLostError", "Database", "PoolEvents", "PoolMetrics", "PoolTimeoutError", "pool_metrics"]


class PoolTimeoutError(Exception):
    """Raised when no connection became free in time. Clients get the code `POOL_TIMEOUT` and status 503."""


class CommitLostError(ConnectionError):
    """Raised when the connection was lost or timed out during COMMIT: it is unknown whether the transaction was committed."""


class Database:
    """A database and its connection pool, opened and closed by the server's lifespan."""

    def __init__(self, pool: "asyncpg.Pool[Any]", settings: Settings, events: PoolEvents, url: str) -> None:
        self._pool = pool
        self._settings = settings
        self._waiting = 0
        self._in_use = 0
        # Grants connections in the order of requests: asyncpg's own queue lets a newcomer take a connection that was released for a waiter.
        self._slots = FifoSemaphore(settings.pool_max_size)
        self._released = asyncio.Event()
        self._returned = 0
        self._liveness = LivenessMonitor(url, lambda: self._in_use + self._waiting, lambda: self._returned, self._cut_off)
        # The waits that are cut short when PostgreSQL stops responding.
        self._waits: set[asyncio.Timeout] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.events = events
        # Behind PgBouncer the timeout cannot be a startup parameter, and must not outlive the transaction.
        self._set_timeout = f"SET LOCAL statement_timeout = {round(settings.query_seconds * 1000)}"

    @classmethod
    async def open(cls, settings: Settings, url: str, *, min_size_interval: float = 5.0) -> "Database":
        """Opens `POOL_MIN_SIZE` connections, and checks every `min_size_interval` seconds that they are open.

        Raises asyncpg's errors if it cannot connect.
        """
        events = PoolEvents()

        async def connected(connection: Any) -> None:
            await init_connection(connection)
            connection.add_termination_listener(lambda _: events.emit("remove"))
            events.emit("connect")

        pool = asyncpg.create_pool(
            url,
            min_size=settings.pool_min_size,
            max_size=settings.pool_max_size,
            max_inactive_connection_lifetime=settings.pool_idle_seconds,
            max_queries=10**9,
            init=connected,
            **connect_options(settings),
        )
        await pool
        # Probes connect to PostgreSQL directly: behind PgBouncer they could be queued.
        database = cls(pool, settings, events, settings.direct_database_url or url)
        maintaining = maintain_min_size(pool, settings.pool_min_size, min_size_interval, settings.connect_seconds)
        database._tasks = [asyncio.create_task(maintaining), asyncio.create_task(database._liveness.run())]
        _open.append(database)
        return database

    async def close(self, within: float = 10.0) -> None:
        """Waits for running statements, then closes all connections; after `within` seconds it terminates them."""
        if self in _open:
            _open.remove(self)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not await self._liveness.responds():
            self._pool.terminate()
            return
        try:
            async with asyncio.timeout(within):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """Acquires a connection for the block. Raises PoolTimeoutError after `POOL_ACQUIRE_SECONDS`."""
        async with self._borrow(skip_reset=False) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, *, user_id: UUID | None = None, request_id: str | None = None) -> AsyncIterator[Any]:
        """Acquires a connection and runs the block in a transaction, with the user and the request id set for the audit triggers.

        Raises PoolTimeoutError, and CommitLostError if it is unknown whether the transaction was committed.
        """
        committing = False
        async with self._borrow(skip_reset=True) as connection:
            try:
                async with connection.transaction():
                    if self._settings.pgbouncer:
                        await connection.execute(self._set_timeout)
                    await connection.execute(
                        "SELECT set_config('rollcall.user_id', $1, true), set_config('rollcall.request_id', $2, true)",
                        str(user_id or ""),
                        request_id or "",
                    )
                    yield connection
                    committing = True
            except (*DISCONNECT_ERRORS, TimeoutError) as error:
                if not committing:
                    raise
                raise CommitLostError(str(error)) from error

    async def fetch(self, sql: str, *arguments: Any, record_class: Any = None) -> list[Any]:
        """Runs a statement on any free connection, and returns all rows."""
        return await self._run(sql, lambda connection: connection.fetch(sql, *arguments, record_class=record_class))  # type: ignore[no-any-return]

    async def fetchrow(self, sql: str, *arguments: Any, record_class: Any = None) -> Any:
        """Runs a statement, and returns the first row or None."""
        return await self._run(sql, lambda connection: connection.fetchrow(sql, *arguments, record_class=record_class))

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Runs a statement, and returns the first column of the first row, or None."""
        return await self._run(sql, lambda connection: connection.fetchval(sql, *arguments))

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Runs a statement, and returns its command tag."""
        return await self._run(sql, lambda connection: connection.execute(sql, *arguments))  # type: ignore[no-any-return]

    def metrics(self) -> PoolMetrics:
        return PoolMetrics(
            self._pool.get_size(), self._pool.get_idle_size(), self._waiting, self._settings.pool_max_size, self._settings.pool_min_size
        )

    async def has_free_connection(self, within: float) -> bool:
        """Returns whether a connection is free, or is released within `within` seconds. Acquires none itself, so it never blocks on one."""
        if self._in_use < self._settings.pool_max_size:
            return True
        self._released.clear()
        try:
            async with asyncio.timeout(within):
                return await self._released.wait()
        except TimeoutError:
            return False

    async def _run(self, sql: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        # A connection may be dead before anybody notices, and asyncpg's cached types may be outdated. Repeating a read does no harm, so the first
        # attempt skips the check of the connection. Whether an interrupted write took effect is unknown, so writes are never repeated.
        for check in (False, True) if is_read_only(sql) else ():
            try:
                return await self._run_once(call, check=check)
            except (LostConnectionError, asyncpg.OutdatedSchemaCacheError):
                pass
        try:
            return await self._run_once(call, check=True)
        except LostConnectionError as lost:
            raise lost.cause from None

    async def _run_once(self, call: Callable[[Any], Awaitable[Any]], *, check: bool) -> Any:
        # A statement that was prepared before its tables changed is refused before it runs; asyncpg then prepares and runs it again by itself.
        connection = await self._acquire(check=check)
        try:
            connection._con.rollcall_skip_reset = True
            if not self._settings.pgbouncer:
                return await call(connection)
            # A statement is parsed, then executed: behind PgBouncer only a transaction guarantees that both reach the same server connection.
            async with connection.transaction():
                await connection.execute(self._set_timeout)
                return await call(connection)
        except DISCONNECT_ERRORS as error:
            if is_disconnect(error, connection):
                raise LostConnectionError(error) from error
            raise
        except asyncpg.PostgresError as error:
            self._report_full_disk(error)
            raise
        finally:
            await self._release_connection(connection)

    def _report_full_disk(self, error: asyncpg.PostgresError) -> None:
        if is_disk_full(error):
            self.events.emit("disk_full")

    @asynccontextmanager
    async def _borrow(self, *, skip_reset: bool) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            connection = await self._acquire(check=True)
            stack.push_async_callback(self._release_connection, connection)
            # Behind PgBouncer a RESET could reach another server connection, and undo what PgBouncer has set there for another client.
            connection._con.rollcall_skip_reset = skip_reset or self._settings.pgbouncer
            try:
                yield connection
            except asyncpg.PostgresError as error:
                self._report_full_disk(error)
                raise

    async def _acquire(self, *, check: bool) -> Any:
        """Acquires a live connection. Discards connections that have ended while idle; with `check`, also those asyncpg has not noticed yet."""
        if self._liveness.is_unresponsive:
            raise _unresponsive_error()
        deadline = asyncio.get_running_loop().time() + self._settings.pool_acquire_seconds
        self._waiting += 1
        try:
            if not self._slots.try_acquire():
                await self._wait_for_slot(deadline)
            try:
                connection = await acquire_idle(self._pool)
                while connection is None or (has_ended(connection) if check else is_closed(connection)):
                    if connection is not None:
                        await self._discard(connection)
                    connection = await self._acquire_any(deadline)
            except BaseException:
                self._slots.release()
                raise
        finally:
            self._waiting -= 1
        self._in_use += 1
        self.events.emit("acquire")
        return connection

    async def _wait_for_slot(self, deadline: float) -> None:
        await self._bounded(self._slots.acquire(), deadline)

    async def _bounded(self, wait: Awaitable[Any], deadline: float) -> Any:
        """Awaits `wait` until the deadline, or until PostgreSQL stops responding. Raises PoolTimeoutError, ConnectionError."""
        timeout = asyncio.timeout_at(deadline)
        self._waits.add(timeout)
        try:
            async with timeout:
                return await wait
        except TimeoutError:
            if self._liveness.is_unresponsive:
                raise _unresponsive_error() from None
            raise PoolTimeoutError("no connection became free in time") from None
        finally:
            self._waits.discard(timeout)

    def _cut_off(self) -> None:
        """Ends all waiting on a PostgreSQL that does not respond: running statements lose their connections, and waiters for a connection fail."""
        for holder in self._pool._holders:  # type: ignore[attr-defined]  # not in its stubs
            if holder._con is not None and holder._in_use is not None:
                holder._con.terminate()
        now = asyncio.get_running_loop().time()
        for timeout in self._waits:
            with suppress(RuntimeError):  # it is ending already
                timeout.reschedule(now)

    async def _discard(self, connection: Any) -> None:
        with suppress(asyncpg.InterfaceError):  # asyncpg noticed at this moment that it has ended
            connection.terminate()
        await self._pool.release(connection)

    async def _acquire_any(self, deadline: float) -> Any:
        try:
            return await self._bounded(self._pool.acquire(), deadline)
        except ConnectionError:
            raise
        except OSError as error:
            # Host not found, host unreachable, socket removed: callers handle all of them as ConnectionError.
            raise ConnectionError(str(error)) from error

    async def _release_connection(self, connection: Any) -> None:
        # A release must complete even if its request is cancelled, or the pool loses the connection.
        if release_may_block(connection):
            await asyncio.shield(self._release(connection, self._settings.connect_seconds))
        else:
            await self._release(connection, None)

    async def _release(self, connection: Any, within: float | None) -> None:
        try:
            if within is not None:
                await self._pool.release(connection, timeout=within)
            else:
                await connection._holder.release(None)
        except (*DISCONNECT_ERRORS, TimeoutError):
            # The pool closes a connection that it cannot reset. The caller has its result already.
            pass
        finally:
            self._in_use -= 1
            self._returned += 1
            self._slots.release()
            self._released.set()
            self.events.emit("release")


def _unresponsive_error() -> ConnectionError:
    return ConnectionError("PostgreSQL does not respond")


# The open pools of this process. A server has one.
_open: list[Database] = []


def pool_metrics() -> dict[str, Any]:
    """Returns the metrics of the most recently opened pool: totalCount, idleCount, waitingCount, maxPoolSize, minPoolSize, utilization ("40%").

    Raises LookupError if no pool is open.
    """
    if not _open:
        raise LookupError("no pool is open in this process")
    return _open[-1].metrics().to_json()
