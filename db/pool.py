"""The pool of connections: asyncpg's, with warm connections kept, waiters counted, and waiting bounded."""

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
    """No connection became free in time. A route answers 503, GraphQL `POOL_TIMEOUT`."""


class CommitLostError(ConnectionError):
    """The connection was lost, or the time was up, while a transaction was being committed: nobody knows whether it was."""


class Database:
    """The database behind one pool. Opened and closed by the server's lifespan."""

    def __init__(self, pool: "asyncpg.Pool[Any]", settings: Settings, events: PoolEvents, url: str) -> None:
        self._pool = pool
        self._settings = settings
        self._waiting = 0
        self._in_use = 0
        # Connections are had in the order in which they were asked for: asyncpg's line lets who comes later take what was given back for another.
        self._slots = FifoSemaphore(settings.pool_max_size)
        self._released = asyncio.Event()
        self._returned = 0
        self._liveness = LivenessMonitor(url, lambda: self._in_use + self._waiting, lambda: self._returned, self._cut_off)
        # What ends when PostgreSQL is found silent.
        self._waits: set[asyncio.Timeout] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.events = events
        # Behind PgBouncer the timeout cannot be a startup parameter, and must not outlive the transaction.
        self._bound = f"SET LOCAL statement_timeout = {round(settings.query_seconds * 1000)}"

    @classmethod
    async def open(cls, settings: Settings, url: str, *, min_size_interval: float = 5.0) -> "Database":
        """Connects, warms `POOL_MIN_SIZE` connections, and looks every `min_size_interval` seconds that there are so many. Raises what asyncpg raises when it cannot connect."""
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
        # Not through PgBouncer, where a probe may wait for its turn.
        database = cls(pool, settings, events, settings.direct_database_url or url)
        warming = maintain_min_size(pool, settings.pool_min_size, min_size_interval, settings.connect_seconds)
        database._tasks = [asyncio.create_task(warming), asyncio.create_task(database._liveness.run())]
        _open.append(database)
        return database

    async def close(self, within: float = 10.0) -> None:
        """Waits for what is running, then closes every connection; after `within` seconds they are cut."""
        if self in _open:
            _open.remove(self)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not await self._liveness.answers():
            self._pool.terminate()
            return
        try:
            async with asyncio.timeout(within):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """A connection of one's own for a while. Raises PoolTimeoutError after `POOL_ACQUIRE_SECONDS`."""
        async with self._borrow(clean=False) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, *, user_id: UUID | None = None, request_id: str | None = None) -> AsyncIterator[Any]:
        """A connection inside a transaction, in which the audit knows who acts and in which request. Raises CommitLostError."""
        committing = False
        async with self._borrow(clean=True) as connection:
            try:
                async with connection.transaction():
                    if self._settings.pgbouncer:
                        await connection.execute(self._bound)
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
        """All rows of one statement, on whichever connection is free."""
        return await self._run(sql, lambda connection: connection.fetch(sql, *arguments, record_class=record_class))  # type: ignore[no-any-return]

    async def fetchrow(self, sql: str, *arguments: Any, record_class: Any = None) -> Any:
        """The first row, or None."""
        return await self._run(sql, lambda connection: connection.fetchrow(sql, *arguments, record_class=record_class))

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._run(sql, lambda connection: connection.fetchval(sql, *arguments))

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Runs one statement; the answer is its command tag."""
        return await self._run(sql, lambda connection: connection.execute(sql, *arguments))  # type: ignore[no-any-return]

    def metrics(self) -> PoolMetrics:
        return PoolMetrics(
            self._pool.get_size(), self._pool.get_idle_size(), self._waiting, self._settings.pool_max_size, self._settings.pool_min_size
        )

    async def has_room(self, within: float) -> bool:
        """Whether a connection can be had, or one is given back within so many seconds. Takes none itself, so it hangs with none."""
        if self._in_use < self._settings.pool_max_size:
            return True
        self._released.clear()
        try:
            async with asyncio.timeout(within):
                return await self._released.wait()
        except TimeoutError:
            return False

    async def _run(self, sql: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        # A connection can be dead before anybody has noticed, and a type can have changed under what asyncpg knew of it. Reading again does no
        # harm, wherever the first reading ended, so nobody looks before the first; whether a write took place nobody can know, and it is not
        # written again.
        for look in (False, True) if is_read_only(sql) else ():
            try:
                return await self._once(call, look=look)
            except (LostConnectionError, asyncpg.OutdatedSchemaCacheError):
                pass
        try:
            return await self._once(call, look=True)
        except LostConnectionError as lost:
            raise lost.cause from None

    async def _once(self, call: Callable[[Any], Awaitable[Any]], *, look: bool) -> Any:
        # A statement that was prepared before its tables changed is refused before it runs, and asyncpg prepares and runs it again by itself.
        connection = await self._acquire(look=look)
        try:
            connection._con.rollcall_skip_reset = True
            if not self._settings.pgbouncer:
                return await call(connection)
            # A statement is parsed, then run: only inside a transaction are both sure to meet the same server connection.
            async with connection.transaction():
                await connection.execute(self._bound)
                return await call(connection)
        except DISCONNECT_ERRORS as error:
            if is_disconnect(error, connection):
                raise LostConnectionError(error) from error
            raise
        except asyncpg.PostgresError as error:
            self._notice(error)
            raise
        finally:
            await self._release_connection(connection)

    def _notice(self, error: asyncpg.PostgresError) -> None:
        if is_disk_full(error):
            self.events.emit("disk_full")

    @asynccontextmanager
    async def _borrow(self, *, clean: bool) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            connection = await self._acquire(look=True)
            stack.push_async_callback(self._release_connection, connection)
            # Behind PgBouncer a RESET would meet whichever server connection is next, and undo what PgBouncer has set there for somebody else.
            connection._con.rollcall_skip_reset = clean or self._settings.pgbouncer
            try:
                yield connection
            except asyncpg.PostgresError as error:
                self._notice(error)
                raise

    async def _acquire(self, *, look: bool) -> Any:
        """A live connection. One that died while it lay idle is thrown away, and the next is taken; with `look`, also if nobody noticed yet."""
        if self._liveness.is_unresponsive:
            raise _unresponsive_error()
        deadline = asyncio.get_running_loop().time() + self._settings.pool_acquire_seconds
        self._waiting += 1
        try:
            if not self._slots.try_acquire():
                await self._wait_for_slot(deadline)
            try:
                connection = await acquire_idle(self._pool)
                while connection is None or (has_ended(connection) if look else is_closed(connection)):
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
        """Waits until the deadline, and no longer than PostgreSQL answers. Raises PoolTimeoutError, ConnectionError."""
        bound = asyncio.timeout_at(deadline)
        self._waits.add(bound)
        try:
            async with bound:
                return await wait
        except TimeoutError:
            if self._liveness.is_unresponsive:
                raise _unresponsive_error() from None
            raise PoolTimeoutError("no connection became free in time") from None
        finally:
            self._waits.discard(bound)

    def _cut_off(self) -> None:
        """Ends what waits for a PostgreSQL that does not answer: statements as if their connections were lost, and whoever waits for a connection."""
        for holder in self._pool._holders:  # type: ignore[attr-defined]  # not in its stubs
            if holder._con is not None and holder._in_use is not None:
                holder._con.terminate()
        now = asyncio.get_running_loop().time()
        for bound in self._waits:
            with suppress(RuntimeError):  # it is ending already
                bound.reschedule(now)

    async def _discard(self, connection: Any) -> None:
        with suppress(asyncpg.InterfaceError):  # it noticed its end in this very moment
            connection.terminate()
        await self._pool.release(connection)

    async def _acquire_any(self, deadline: float) -> Any:
        try:
            return await self._bounded(self._pool.acquire(), deadline)
        except ConnectionError:
            raise
        except OSError as error:
            # A name that leads nowhere, a host that cannot be reached, a socket that is gone: the same to whoever asked.
            raise ConnectionError(str(error)) from error

    async def _release_connection(self, connection: Any) -> None:
        # A release must end even when its request is cancelled, or the connection is lost to the pool.
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
            # One that cannot be made as new is closed by the pool: that is no news for whoever has their answer already.
            pass
        finally:
            self._in_use -= 1
            self._returned += 1
            self._slots.release()
            self._released.set()
            self.events.emit("release")


def _unresponsive_error() -> ConnectionError:
    return ConnectionError("PostgreSQL does not answer")


# The pools of this process that are open: a server has one.
_open: list[Database] = []


def pool_metrics() -> dict[str, Any]:
    """The figures of the pool that this process opened last: totalCount, idleCount, waitingCount, maxPoolSize, minPoolSize, utilization ("40%").

    Raises LookupError when none is open.
    """
    if not _open:
        raise LookupError("no pool is open in this process")
    return _open[-1].metrics().to_json()
