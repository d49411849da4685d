"""News of what was revoked, by LISTEN on a connection of its own, and the knowledge of when there may be none.

Why so, and how long the news takes: docs/decisions/013-revocations.md.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from auth.clock import Clock

__all__ = ["CHANNEL", "Revocations"]

_log = structlog.get_logger("rollcall.revocations")

CHANNEL = "rollcall_revocations"
# The connection is asked for a sign of life this often; without one for `_TRUSTED` seconds nothing cached is believed.
_EVERY = 2.0
_TRUSTED = 5.0
_CONNECT = 5.0
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Revocations:
    """Listens, and listens again when the connection was lost.

    `revoked(kind, id)` is called for each piece of news (kind: session, user, service), `missed()` when some may have been missed.
    `url` leads to PostgreSQL itself, not to a PgBouncer in transaction mode, through which LISTEN hears nothing.
    """

    def __init__(self, url: str, clock: Clock, revoked: Callable[[str, UUID], None], missed: Callable[[], None]) -> None:
        self._url = url
        self._clock = clock
        self._revoked = revoked
        self._missed = missed
        self._connection: Any = None
        self._busy = asyncio.Lock()
        self._alive_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._first = asyncio.Event()

    @property
    def is_listening(self) -> bool:
        """Whether every revocation up to a moment ago is known here. The last sign of life counts: a dead network says nothing."""
        connection = self._connection
        return connection is not None and not connection.is_closed() and self._clock.monotonic() - self._alive_at <= _TRUSTED

    async def start(self) -> None:
        """Begins to listen. Returns when it does, or when the first try failed: it goes on trying."""
        self._task = asyncio.create_task(self._listen(), name="revocations")
        await self._first.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def settle(self) -> None:
        """Returns when what was committed before this call is known here. Without a connection at once: then nothing cached is believed."""
        connection = self._connection
        if connection is None:
            return
        try:
            await self._sign_of_life(connection)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # Dead, and nobody noticed until now. The listener's own loop sees it closed and begins again.
            connection.terminate()

    async def _listen(self) -> None:
        pause = 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001 - whatever it was: it is logged, and listening begins again
                pause = min(pause * 2, _LONGEST_PAUSE) if self._connection is None and pause else _SHORTEST_PAUSE
                _log.warning("revocations are not heard: every token is looked up", error=repr(error), again_in_seconds=pause)
            finally:
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.terminate()
                self._missed()
                self._first.set()

    async def _listen_once(self) -> None:
        """Listens until the connection is lost, and raises what lost it."""
        connection = await asyncpg.connect(
            self._url, timeout=_CONNECT, command_timeout=_EVERY, server_settings={"application_name": "rollcall revocations"}
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._hear)
            await self._sign_of_life(connection)
        except BaseException:
            connection.terminate()
            raise
        # From here on nothing is missed; what was cached before may have been revoked unheard.
        self._missed()
        self._connection = connection
        self._first.set()
        _log.info("revocations are heard")
        while True:
            try:
                await asyncio.wait_for(lost.wait(), _EVERY)
            except TimeoutError:
                await self._sign_of_life(connection)
            else:
                raise ConnectionResetError("the connection that listens was closed")

    async def _sign_of_life(self, connection: Any) -> None:
        """An answer from the server, which sends what there was to hear before it."""
        async with self._busy:
            asked_at = self._clock.monotonic()
            await connection.fetchval("SELECT 1", timeout=_EVERY)
            # The news that came with the answer is told by callbacks that were scheduled before us.
            await asyncio.sleep(0)
            self._alive_at = asked_at

    def _hear(self, _: Any, __: int, ___: str, payload: object) -> None:
        kind, _, identifier = str(payload).partition(":")
        try:
            self._revoked(kind, UUID(identifier))
        except ValueError:
            _log.warning("a revocation that does not read as one: all is forgotten", payload=str(payload)[:100])
            self._missed()
