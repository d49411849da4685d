"""The pool of connections: asyncpg's, with warm connections kept, waiters counted, and waiting bounded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from config import Settings

__all__ = ["Database", "PoolEvents", "PoolMetrics", "PoolTimeoutError"]

_log = structlog.get_logger("rollcall.pool")
# A screen's statements in all their variants stay prepared.
_STATEMENT_CACHE = 500


# How the end of a connection shows; some of these have other causes too, so the connection is looked at as well.
_ENDED = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.ConnectionDoesNotExistError)
_LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, *_ENDED)


class LostConnectionError(Exception):
    """A statement met a connection that had ended: `cause` says how. Stays inside this room."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class PoolTimeoutError(Exception):
    """No connection became free in time. A route answers 503, GraphQL `POOL_TIMEOUT`."""


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """The pool as it is now."""

    total_count: int
    idle_count: int
    waiting_count: int
    max_pool_size: int
    min_pool_size: int

    @property
    def utilization(self) -> str:
        return f"{round(100 * (self.total_count - self.idle_count) / self.max_pool_size)}%"

    def to_json(self) -> dict[str, Any]:
        return {
            "totalCount": self.total_count,
            "idleCount": self.idle_count,
            "waitingCount": self.waiting_count,
            "maxPoolSize": self.max_pool_size,
            "minPoolSize": self.min_pool_size,
            "utilization": self.utilization,
        }


class PoolEvents:
    """Who wants to know what happens in the pool. A listener takes the event's name (connect, acquire, release, remove) and must not raise."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    def tell(self, event: str) -> None:
        for listener in self._listeners:
            listener(event)


class _Connection(asyncpg.Connection):  # type: ignore[type-arg]  # generic only in its stubs
    """A connection that is not asked to RESET when a plain statement gives it back."""

    __slots__ = ("rollcall_clean",)

    def get_reset_query(self) -> str:
        # A named statement, alone or in a transaction, leaves no session state: nothing of ours says SET, LISTEN, PREPARE or takes a session lock.
        return "" if getattr(self, "rollcall_clean", False) else super().get_reset_query()


class Database:
    """The database behind one pool. Opened and closed by the server's lifespan."""

    def __init__(self, pool: "asyncpg.Pool[Any]", settings: Settings, events: PoolEvents) -> None:
        self._pool = pool
        self._settings = settings
        self._waiting = 0
        self._warmer: asyncio.Task[None] | None = None
        self.events = events
        # Behind PgBouncer the timeout cannot be a startup parameter, and must not outlive the transaction.
        self._bound = f"SET LOCAL statement_timeout = {round(settings.query_seconds * 1000)}"

    @classmethod
    async def open(cls, settings: Settings, url: str, *, warm_every: float = 5.0) -> "Database":
        """Connects, warms `POOL_MIN_SIZE` connections, and looks every `warm_every` seconds that there are so many. Raises what asyncpg raises when it cannot connect."""
        events = PoolEvents()

        async def connected(connection: Any) -> None:
            await connection.set_type_codec("jsonb", encoder=_dump, decoder=orjson.loads, schema="pg_catalog", format="text")
            connection.add_termination_listener(lambda _: events.tell("remove"))
            events.tell("connect")

        pool = asyncpg.create_pool(
            url,
            min_size=settings.pool_min_size,
            max_size=settings.pool_max_size,
            max_inactive_connection_lifetime=settings.pool_idle_seconds,
            max_queries=10**9,
            timeout=settings.connect_seconds,
            command_timeout=settings.query_seconds,
            statement_cache_size=0 if settings.pgbouncer else _STATEMENT_CACHE,
            max_cached_statement_lifetime=0,
            connection_class=_Connection,
            init=connected,
            # PgBouncer refuses startup parameters that it does not know.
            server_settings={}
            if settings.pgbouncer
            else {
                "application_name": "rollcall",
                "statement_timeout": str(round(settings.query_seconds * 1000)),
                "idle_in_transaction_session_timeout": str(round(settings.query_seconds * 2000)),
                "timezone": "UTC",
                "jit": "off",
            },
        )
        await pool
        database = cls(pool, settings, events)
        database._warmer = asyncio.create_task(database._keep_warm(warm_every))
        return database

    async def close(self, within: float = 10.0) -> None:
        """Waits for what is running, then closes every connection; after `within` seconds they are cut."""
        if self._warmer is not None:
            self._warmer.cancel()
            with suppress(asyncio.CancelledError):
                await self._warmer
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
        """A connection inside a transaction, in which the audit knows who acts and in which request."""
        async with self._borrow(clean=True) as connection, connection.transaction():
            if self._settings.pgbouncer:
                await connection.execute(self._bound)
            await connection.execute(
                "SELECT set_config('rollcall.user_id', $1, true), set_config('rollcall.request_id', $2, true)",
                str(user_id or ""),
                request_id or "",
            )
            yield connection

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

    async def _run(self, sql: str, call: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            return await self._once(call)
        except LostConnectionError as lost:
            # A connection can be dead before anybody has noticed. Reading again does no harm, wherever the first reading ended; whether a
            # write took place nobody can know, and it is not written again.
            if not _is_read(sql):
                raise lost.cause from None
        try:
            return await self._once(call)
        except LostConnectionError as lost:
            raise lost.cause from None

    async def _once(self, call: Callable[[Any], Awaitable[Any]]) -> Any:
        async with self._borrow(clean=True) as connection:
            try:
                if self._settings.pgbouncer:
                    # A statement is parsed, then run: only inside a transaction are both sure to meet the same server connection.
                    async with connection.transaction():
                        await connection.execute(self._bound)
                        return await call(connection)
                try:
                    return await call(connection)
                except (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError):
                    # The tables changed under a prepared statement. It did not run, and its plan is forgotten by now.
                    return await call(connection)
            except _LOST as error:
                if _is_over(connection) or isinstance(error, _ENDED):
                    raise LostConnectionError(error) from error
                raise

    @asynccontextmanager
    async def _borrow(self, *, clean: bool) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            connection = await self._take()
            stack.push_async_callback(self._give_back, connection)
            connection._con.rollcall_clean = clean
            yield connection

    async def _take(self) -> Any:
        """A live connection. One that died while it lay idle is thrown away, and the next is taken."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.pool_acquire_seconds
        self._waiting += 1
        try:
            while True:
                try:
                    connection = await self._pool.acquire(timeout=max(deadline - loop.time(), 0.001))
                except TimeoutError:
                    raise PoolTimeoutError("no connection became free in time") from None
                if not _is_over(connection):
                    self.events.tell("acquire")
                    return connection
                await self._pool.release(connection)
        finally:
            self._waiting -= 1

    async def _keep_warm(self, every: float) -> None:
        """Opens what is missing to the minimum. asyncpg does so when it sees a connection end, and it does not see all: one that the server has
        closed while it lay idle may be found dead only when it is next in turn.
        """
        while True:
            await asyncio.sleep(every)
            if self._pool.get_size() >= self._settings.pool_min_size:
                continue
            taken: list[Any] = []
            try:
                for _ in range(self._settings.pool_min_size):
                    taken.append(await self._pool.acquire(timeout=self._settings.connect_seconds))  # noqa: PERF401 - those taken are given back
            except (*_LOST, asyncpg.PostgresError, TimeoutError) as error:
                _log.warning("the pool cannot be kept warm", error=type(error).__name__)
            finally:
                for connection in taken:
                    with suppress(*_LOST, TimeoutError):
                        await self._pool.release(connection)

    async def _give_back(self, connection: Any) -> None:
        # A release must end even when its request is cancelled, or the connection is lost to the pool. One that cannot be made as new is closed
        # by the pool: that is no news for whoever has their answer already.
        with suppress(*_LOST, TimeoutError):
            await asyncio.shield(self._pool.release(connection, timeout=self._settings.connect_seconds))
        self.events.tell("release")


def _is_over(connection: Any) -> bool:
    """Whether a connection has ended. The pool takes its proxy away when it notices, and the proxy then answers nothing."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _is_read(sql: str) -> bool:
    """Whether a statement only reads: it begins with SELECT, after its name's comment."""
    return sql.partition("*/")[2].lstrip()[:6].upper() == "SELECT" if sql.startswith("/*") else sql.lstrip()[:6].upper() == "SELECT"


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()
