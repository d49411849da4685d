"""News of what was revoked, by LISTEN on a connection of its own, and the knowledge of when there may be none.

Why so, and how long the news takes: docs/decisions/013-revocations.md.
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
_NAME = "rollcall revocations"
# Asks all workers whether they have heard what there was until now, and says which there are.
_ASK = """
WITH workers AS MATERIALIZED (
    SELECT array_agg(pid) AS pids FROM pg_stat_activity
    WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid()
)
SELECT pids, pg_notify($2, $3) FROM workers
"""
# The connection is asked for a sign of life this often; without one for `_TRUSTED` seconds nothing cached is believed.
_EVERY = 2.0
_TRUSTED = 5.0
_CONNECT = 5.0
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


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
        # Questions of ours that are open: which workers (by the process id of their connection) have answered, and a bell for the next answer.
        self._questions: dict[UUID, tuple[set[int], asyncio.Event]] = {}
        self._answers: set[asyncio.Task[None]] = set()

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
        tasks = [*self._answers, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    async def wait_until_propagated(self) -> None:
        """Returns when what was committed before this call is known here and in every other worker that listens.

        A worker that does not answer is waited for only as long as it may believe what it has cached. Without a connection of our own
        it returns at once: nothing cached is believed here, and nobody can be asked.
        """
        connection = self._connection
        if connection is None:
            return
        question = uuid4()
        answered, bell = self._questions[question] = (set(), asyncio.Event())
        try:
            workers = set(await self._ask(connection, _ASK, _NAME, CHANNEL, f"ask:{question}") or ())
            async with asyncio.timeout(_TRUSTED):
                while not workers <= answered:
                    await bell.wait()
                    bell.clear()
        except TimeoutError:
            _log.warning("a worker did not say that it has heard of a revocation; by now it asks the database")
        except _TROUBLE:
            # Dead, and nobody noticed until now. The listener's own loop sees it closed and begins again.
            connection.terminate()
        finally:
            del self._questions[question]

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
        connection = await asyncpg.connect(self._url, timeout=_CONNECT, command_timeout=_EVERY, server_settings={"application_name": _NAME})
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._hear)
            await self._ask(connection, "SELECT 1")
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
                async with asyncio.timeout(_EVERY):
                    await lost.wait()
            except TimeoutError:
                await self._ask(connection, "SELECT 1")
            else:
                raise ConnectionResetError("the connection that listens was closed")

    async def _ask(self, connection: Any, sql: str, *arguments: Any) -> Any:
        """An answer from the server, which is a sign of life: what there was to hear before it was sent before it."""
        async with self._busy:
            asked_at = self._clock.monotonic()
            try:
                answer = await connection.fetchval(sql, *arguments, timeout=_EVERY)
            except TimeoutError:
                raise ConnectionResetError("the connection that listens does not answer") from None
            # The news that came with the answer is told by callbacks that were scheduled before us.
            await asyncio.sleep(0)
            self._alive_at = asked_at
            return answer

    def _hear(self, connection: Any, pid: int, _: str, payload: object) -> None:
        kind, _, text = str(payload).partition(":")
        try:
            identifier = UUID(text)
        except ValueError:
            _log.warning("a revocation that does not read as one: all is forgotten", payload=str(payload)[:100])
            self._missed()
            return
        if kind == "ask":
            if pid != connection.get_server_pid():
                task = asyncio.create_task(self._answer(connection, identifier))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)
        elif kind == "heard":
            if identifier in self._questions:
                answered, bell = self._questions[identifier]
                answered.add(pid)
                bell.set()
        else:
            self._revoked(kind, identifier)

    async def _answer(self, connection: Any, question: UUID) -> None:
        """Tells another worker that we have heard all there was until it asked: news comes in the order of commits."""
        try:
            await self._ask(connection, "SELECT pg_notify($1, $2)", CHANNEL, f"heard:{question}")
        except _TROUBLE:
            connection.terminate()
