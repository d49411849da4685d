"""What the pool knows of a single connection: how it is made, whether it still lives, whether it must be reset."""

import re
import select
from typing import Any

import asyncpg
import orjson

from config import Settings
from db.disk_space import reports_full_disk
from db.error_text import hide_values

__all__ = [
    "DISCONNECT_ERRORS",
    "Connection",
    "LostConnectionError",
    "acquire_idle",
    "connect_options",
    "has_ended",
    "init_connection",
    "is_closed",
    "is_disconnect",
    "is_disk_full",
    "is_read_only",
    "release_may_block",
]

# Whatever uses the database imports this.
hide_values()

# The longest form of the longest statement has 2,500 characters, and a school's screens use some hundred of the forms.
_STATEMENT_CACHE = 500

_BEGINS_WITH_SELECT = re.compile(r"(?:/\*[^*]*\*/)?[ \n(]*SELECT", re.IGNORECASE).match

# How the end of a connection shows; some of these have other causes too, so the connection is looked at as well.
_ENDED = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.ConnectionDoesNotExistError)
DISCONNECT_ERRORS = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, *_ENDED)

# The other side has hung up. Where the kernel cannot say just that, "there is something to read" is near enough: between statements nothing is.
_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLIN)


class LostConnectionError(Exception):
    """A statement met a connection that had ended: `cause` says how. Stays inside this room."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Connection(asyncpg.Connection):  # type: ignore[type-arg]  # generic only in its stubs
    """A connection that is not asked to RESET when a plain statement gives it back."""

    __slots__ = ("rollcall_skip_reset",)

    def get_reset_query(self) -> str:
        # A named statement, alone or in a transaction, leaves no session state: nothing of ours says SET, LISTEN, PREPARE or takes a session lock.
        # A test reads every statement for these. The RESET would be one more way to the server and back for each statement.
        return "" if getattr(self, "rollcall_skip_reset", False) else super().get_reset_query()

    async def reset(self, *, timeout: float | None = None) -> None:
        # asyncpg's own makes a timeout first, also where it then finds nothing to do. A BEGIN that was cancelled leaves a transaction that is none.
        if self.get_reset_query() or self._top_xact is not None or self.is_in_transaction():  # type: ignore[attr-defined]  # not in its stubs
            await super().reset(timeout=timeout)


def connect_options(settings: Settings) -> dict[str, Any]:
    """What asyncpg is told when it connects."""
    server_settings = {"application_name": "rollcall", "timezone": "UTC"}
    if not settings.pgbouncer:
        # PgBouncer refuses startup parameters that it does not know, and it knows the two above.
        server_settings |= {
            "statement_timeout": str(round(settings.query_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(round(settings.query_seconds * 2000)),
            "jit": "off",
        }
    return {
        "timeout": settings.connect_seconds,
        "command_timeout": settings.query_seconds,
        "statement_cache_size": 0 if settings.pgbouncer else _STATEMENT_CACHE,
        "max_cached_statement_lifetime": 0,
        "connection_class": Connection,
        "server_settings": server_settings,
    }


async def init_connection(connection: Any) -> None:
    """Makes a new connection read and write jsonb as values. Asks the server nothing."""
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=orjson.loads, schema="pg_catalog", format="text")


def is_closed(connection: Any) -> bool:
    """Whether a connection is known to have ended."""
    # The pool takes its proxy away when it notices.
    inner = connection._con
    return inner is None or inner.is_closed()


def has_ended(connection: Any) -> bool:
    """Whether a connection has ended, noticed or not: the kernel knows of a server's goodbye before the event loop comes to read it.

    What is found out here is found out before anything was sent, so another connection may be taken for reads and writes alike.
    """
    try:
        if is_closed(connection):
            return True
        asked = select.poll()
        asked.register(connection._transport.get_extra_info("socket").fileno(), _HUNG_UP)
        return bool(asked.poll(0))
    except (asyncpg.InterfaceError, OSError, ValueError):
        # A closed socket has no number to ask about.
        return True


async def acquire_idle(pool: Any) -> Any:
    """A connection that the pool has open and free; None when it has none. There is nothing to wait for, and so no task and no timeout."""
    line = pool._queue._queue
    if not line or not line[-1].is_connected() or pool.is_closing():
        return None
    holder = line.pop()
    try:
        return await holder.acquire()
    except BaseException:
        pool._queue.put_nowait(holder)
        raise


def release_may_block(connection: Any) -> bool:
    """Whether giving a connection back may have to wait for the server: for a cancelled statement to end, or a RESET."""
    inner = connection._con
    return inner is None or inner.is_closed() or inner._protocol._is_cancelling() or inner.get_reset_query() != ""


def is_disconnect(error: Exception, connection: Any) -> bool:
    """Whether an error, one of `DISCONNECT_ERRORS`, means that its connection has ended."""
    return isinstance(error, _ENDED) or has_ended(connection)


def is_disk_full(error: BaseException) -> bool:
    """Whether PostgreSQL could not write for want of space."""
    if isinstance(error, asyncpg.DiskFullError):
        return True
    # A quota has no code of its own.
    return isinstance(error, asyncpg.PostgresError) and bool(error.args) and reports_full_disk(str(error.args[0]))


def is_read_only(sql: str) -> bool:
    """Whether a statement only reads: it begins with SELECT, after its name's comment. No SELECT of ours calls what writes; a test reads them all."""
    # Looked at each time, in 0.3 µs: a cache would keep the texts, which are long, and as many as clients like.
    return _BEGINS_WITH_SELECT(sql) is not None


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()
