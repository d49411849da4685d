"""Receives revocations from the database (LISTEN on a dedicated connection), and knows when some may have been missed.

The design and its latency: docs/decisions/013-revocations.md.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import structlog

from auth.clock import Clock

__all__ = ["CHANNEL", "Revocations"]

_log = structlog.get_logger("rollcall.revocations")

CHANNEL = "rollcall_revocations"
_APPLICATION_NAME = "rollcall revocations"
# Sends a barrier to all workers, and returns which workers there are: the process ids of their listening connections.
_SEND_BARRIER = """
WITH workers AS MATERIALIZED (
    SELECT array_agg(pid) AS pids FROM pg_stat_activity
    WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()
)
SELECT pids, pg_notify($2, $3) FROM workers
"""
# Seconds between heartbeats on the connection. Without one for `_TRUSTED_SECONDS` the cache is not used.
_HEARTBEAT_SECONDS = 2.0
_TRUSTED_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_MIN_BACKOFF = 0.1
_MAX_BACKOFF = 5.0
_CONNECTION_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Revocations:
    """Listens for revocations, and reconnects when the connection is lost.

    Calls `revoked(kind, id)` for each revocation (kind: session, user, service), and `missed()` when some may have been missed.
    `url` must connect to PostgreSQL itself: LISTEN does not work through PgBouncer in transaction mode.
    """

    def __init__(self, url: str, clock: Clock, revoked: Callable[[str, UUID], None], missed: Callable[[], None]) -> None:
        self._url = url
        self._clock = clock
        self._revoked = revoked
        self._missed = missed
        self._connection: Any = None
        self._connection_lock = asyncio.Lock()
        self._alive_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._first = asyncio.Event()
        # This worker's pending barriers: which workers (process ids of their connections) have acknowledged, and an event for the next one.
        self._barriers: dict[UUID, tuple[set[int], asyncio.Event]] = {}
        self._acknowledgements: set[asyncio.Task[None]] = set()

    @property
    def is_listening(self) -> bool:
        """Whether all revocations up to the last heartbeat have been received, and the last heartbeat is recent."""
        connection = self._connection
        return connection is not None and not connection.is_closed() and self._clock.monotonic() - self._alive_at <= _TRUSTED_SECONDS

    async def start(self) -> None:
        """Starts listening. Returns when listening has begun or the first attempt has failed; it keeps retrying."""
        self._task = asyncio.create_task(self._listen(), name="revocations")
        await self._first.wait()

    async def stop(self) -> None:
        tasks = [*self._acknowledgements, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    async def wait_until_propagated(self) -> None:
        """Waits until the revocations committed before this call have been processed by this and every other listening worker.

        Waits for an unresponsive worker only as long as that worker may still trust its cache. Without a listening connection it returns at
        once: the cache is not used here, and no barrier can be sent.
        """
        connection = self._connection
        if connection is None:
            return
        barrier = uuid4()
        acknowledged, progress = self._barriers[barrier] = (set(), asyncio.Event())
        try:
            workers = set(await self._query(connection, _SEND_BARRIER, _APPLICATION_NAME, CHANNEL, f"ask:{barrier}") or ())
            async with asyncio.timeout(_TRUSTED_SECONDS):
                while not workers <= acknowledged:
                    await progress.wait()
                    progress.clear()
        except TimeoutError:
            _log.warning("a worker did not acknowledge a revocation in time; its cache has expired by now")
        except _CONNECTION_ERRORS:
            # The connection is dead. The listening loop notices that it is closed, and reconnects.
            connection.terminate()
        finally:
            del self._barriers[barrier]

    async def _listen(self) -> None:
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001 - any error is logged, and listening starts again
                pause = min(pause * 2, _MAX_BACKOFF) if self._connection is None and pause else _MIN_BACKOFF
                _log.warning(
                    "not listening for revocations: every token is looked up in the database", error=repr(error), retry_in_seconds=pause
                )
            finally:
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.terminate()
                self._missed()
                self._first.set()

    async def _listen_once(self) -> None:
        """Listens until the connection is lost, and raises the error that ended it."""
        connection = await asyncpg.connect(
            self._url,
            timeout=_CONNECT_SECONDS,
            command_timeout=_HEARTBEAT_SECONDS,
            server_settings={"application_name": _APPLICATION_NAME},
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._receive)
            await self._query(connection, "SELECT 1")
        except BaseException:
            connection.terminate()
            raise
        # From here on nothing is missed. Tokens that were cached before may have been revoked in the meantime.
        self._missed()
        self._connection = connection
        self._first.set()
        _log.info("listening for revocations")
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_SECONDS):
                    await lost.wait()
            except TimeoutError:
                await self._query(connection, "SELECT 1")
            else:
                raise ConnectionResetError("the listening connection was closed")

    async def _query(self, connection: Any, sql: str, *arguments: Any) -> Any:
        """Runs a statement on the listening connection. Its result is a heartbeat: all earlier notifications have been received before it."""
        async with self._connection_lock:
            sent_at = self._clock.monotonic()
            try:
                result = await connection.fetchval(sql, *arguments, timeout=_HEARTBEAT_SECONDS)
            except TimeoutError:
                raise ConnectionResetError("the listening connection does not respond") from None
            # Lets the callbacks of the notifications that arrived with the result run first: they are scheduled already.
            await asyncio.sleep(0)
            self._alive_at = sent_at
            return result

    def _receive(self, connection: Any, pid: int, _: str, payload: object) -> None:
        kind, _, text = str(payload).partition(":")
        try:
            identifier = UUID(text)
        except ValueError:
            _log.warning("a malformed revocation was received: the cache is cleared", payload=str(payload)[:100])
            self._missed()
            return
        if kind == "ask":
            if pid != connection.get_server_pid():
                task = asyncio.create_task(self._acknowledge(connection, identifier))
                self._acknowledgements.add(task)
                task.add_done_callback(self._acknowledgements.discard)
        elif kind == "heard":
            if identifier in self._barriers:
                acknowledged, progress = self._barriers[identifier]
                acknowledged.add(pid)
                progress.set()
        else:
            self._revoked(kind, identifier)

    async def _acknowledge(self, connection: Any, barrier: UUID) -> None:
        """Acknowledges another worker's barrier. NOTIFYs arrive in commit order, so everything sent before the barrier has been processed."""
        try:
            await self._query(connection, "SELECT pg_notify($1, $2)", CHANNEL, f"heard:{barrier}")
        except _CONNECTION_ERRORS:
            connection.terminate()
