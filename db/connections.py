"""Configures single connections for the pool, detects that they have ended, and decides whether they must be reset."""

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

# Called here because everything that uses the database imports this module.
hide_values()

# The longest statement has 2,500 characters, and a school's screens use a few hundred different ones.
_STATEMENT_CACHE = 500

_BEGINS_WITH_SELECT = re.compile(r"(?:/\*[^*]*\*/)?[ \n(]*SELECT", re.IGNORECASE).match

# The errors that the end of a connection causes. Some have other causes too, so the state of the connection is checked as well.
_ENDED = (asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.ConnectionDoesNotExistError)
DISCONNECT_ERRORS = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, *_ENDED)

# Polls whether the peer has hung up. Without POLLRDHUP "readable" will do: between statements the server sends nothing.
_HUNG_UP = getattr(select, "POLLRDHUP", select.POLLIN)


class LostConnectionError(Exception):
    """Raised when a statement used a connection that has ended. `cause` is the original error. Never leaves this package."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Connection(asyncpg.Connection):  # type: ignore[type-arg]  # generic only in its stubs
    """A connection that skips the RESET when it is released after a plain statement."""

    __slots__ = ("rollcall_skip_reset",)

    def get_reset_query(self) -> str:
        # The catalogue's statements leave no session state: none uses SET, LISTEN, PREPARE or a session-level lock, and a test checks all of them.
        # A RESET would cost one more round trip for each statement.
        return "" if getattr(self, "rollcall_skip_reset", False) else super().get_reset_query()

    async def reset(self, *, timeout: float | None = None) -> None:
        # asyncpg's implementation creates a timeout even if there is nothing to do. A cancelled BEGIN leaves `_top_xact` set without a transaction.
        if self.get_reset_query() or self._top_xact is not None or self.is_in_transaction():  # type: ignore[attr-defined]  # not in its stubs
            await super().reset(timeout=timeout)


def connect_options(settings: Settings) -> dict[str, Any]:
    """Returns the arguments of `asyncpg.create_pool` that configure each connection."""
    server_settings = {"application_name": "rollcall", "timezone": "UTC"}
    if not settings.pgbouncer:
        # PgBouncer refuses startup parameters that it does not know. It knows the two above.
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
    """Makes a new connection convert between jsonb and Python values. Sends nothing to the server."""
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=orjson.loads, schema="pg_catalog", format="text")


def is_closed(connection: Any) -> bool:
    """Returns whether asyncpg knows that a connection has ended."""
    # The pool detaches the proxy when it notices.
    inner = connection._con
    return inner is None or inner.is_closed()


def has_ended(connection: Any) -> bool:
    """Returns whether a connection has ended, even if asyncpg has not noticed: the kernel knows before the event loop reads the socket.

    Nothing has been sent yet at this point, so reads and writes alike can safely use another connection.
    """
    try:
        if is_closed(connection):
            return True
        poll = select.poll()
        poll.register(connection._transport.get_extra_info("socket").fileno(), _HUNG_UP)
        return bool(poll.poll(0))
    except (asyncpg.InterfaceError, OSError, ValueError):
        # A closed socket has no file descriptor.
        return True


async def acquire_idle(pool: Any) -> Any:
    """Acquires an open idle connection of the pool, or returns None. It does not wait, so it needs neither a task nor a timeout."""
    holders = pool._queue._queue
    if not holders or not holders[-1].is_connected() or pool.is_closing():
        return None
    holder = holders.pop()
    try:
        return await holder.acquire()
    except BaseException:
        pool._queue.put_nowait(holder)
        raise


def release_may_block(connection: Any) -> bool:
    """Returns whether releasing a connection may wait for the server: for a cancelled statement to end, or for a RESET."""
    inner = connection._con
    return inner is None or inner.is_closed() or inner._protocol._is_cancelling() or inner.get_reset_query() != ""


def is_disconnect(error: Exception, connection: Any) -> bool:
    """Returns whether an error, one of `DISCONNECT_ERRORS`, means that its connection has ended."""
    return isinstance(error, _ENDED) or has_ended(connection)


def is_disk_full(error: BaseException) -> bool:
    """Returns whether PostgreSQL could not write because its disk or quota is full."""
    if isinstance(error, asyncpg.DiskFullError):
        return True
    # An exceeded quota has no SQLSTATE of its own.
    return isinstance(error, asyncpg.PostgresError) and bool(error.args) and reports_full_disk(str(error.args[0]))


def is_read_only(sql: str) -> bool:
    """Returns whether a statement only reads: it begins with SELECT, after the comment with its name.

    No SELECT of the catalogue calls a function that writes; a test checks all of them.
    """
    # Takes 0.3 µs. A cache would hold the texts, which are long and, through filters, as many as clients choose.
    return _BEGINS_WITH_SELECT(sql) is not None


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()
