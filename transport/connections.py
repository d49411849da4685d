"""Tracks the open connections of a process, limits the memory and time that they take, and ends those that exceed the limits.

A sweep once a second checks the connections that wait for something, so that ordinary requests need no timer. Timeouts are exact to about a second.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import structlog

from transport.start_queue import StartQueue

__all__ = ["RESERVE", "Connection", "ConnectionLimits", "Connections"]

_log = structlog.get_logger("rollcall.connections")

_SWEEP_SECONDS = 1.0
_DRAIN_SWEEP_SECONDS = 0.1
# While the server drains: a connection without a request counts as idle after the first, and an incomplete request has the second to complete.
_DRAIN_IDLE_SECONDS = 0.5
_DRAIN_READ_SECONDS = 2.0
# Clients that read their response more slowly than this, in bytes per second, are dropped.
_LOWEST_RATE = 1024
# Dropped connections are logged in one line at most once in this interval: a flood of them must not fill the disk.
_LOG_SECONDS = 10.0
# Dropping a connection whose incomplete request is smaller than this would free too little memory.
_SMALL = 4096
# Connections accepted above the limit; their heads are read to see whether they request one of `reserved_paths`.
RESERVE = 32


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of each connection, and of all connections together. Times are in seconds."""

    header_seconds: float = 10.0
    body_seconds: float = 15.0
    idle_seconds: float = 75.0
    send_seconds: float = 15.0
    url_bytes: int = 65_536
    header_bytes: int = 65_536
    connections: int = 2_000
    # Bytes of incomplete and of pipelined requests, of all connections together. The process uses up to three times as much memory for them.
    buffered_bytes: int = 32 << 20
    unsent_bytes: int = 64 << 20
    # Prefixes of the paths that are served even above the limit of connections.
    reserved_paths: tuple[str, ...] = ("/health/",)
    # Prefixes of the paths that accept a body. A body sent to another path must arrive within `header_seconds`.
    body_paths: tuple[str, ...] = ("/",)

    def body_seconds_of(self, path: str) -> float:
        return self.body_seconds if path.startswith(self.body_paths) else self.header_seconds


class Connection(Protocol):
    """Describes a connection as `Connections` uses it."""

    # When the connection began to wait: for a request to begin or to complete.
    since: float
    # Bytes of an incomplete request.
    held: int
    # Bytes of complete requests that wait for the one before them.
    queued: int
    # The client's network, see `flow_keys.network_of`.
    network: Hashable
    # Bytes of a response in this process that the client has not read.
    unsent: int
    # `bytes_to_take()` when measuring the client's rate began, and the time of that.
    unsent_mark: int
    unsent_since: float

    def time_out_reading(self, now: float) -> None: ...
    def bytes_to_send(self) -> int: ...
    def bytes_to_take(self) -> int: ...
    def give_way(self) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def refuse(self, status: int, code: str, message: str) -> None: ...
    def finish_after_response(self) -> None: ...


class Connections:
    """Holds all connections of a process, in sets by what they wait for. The sets are dictionaries, which keep insertion order: oldest first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        # Requests that have arrived while many others run.
        self.starting = StartQueue()
        self.open: dict[Connection, None] = {}
        # Between two requests.
        self.idle: dict[Connection, None] = {}
        # With an incomplete request, or new and without one.
        self.reading: dict[Connection, None] = {}
        # Whose clients read their response more slowly than the server writes it.
        self.sending: dict[Connection, None] = {}
        # Closed by the server, waiting for the client to read the rest or to close as well; with the time when they are aborted.
        self.closing: dict[Connection, float] = {}
        # Above the limit of connections: each gets one response.
        self.reserved: dict[Connection, None] = {}
        self._networks: dict[Hashable, dict[Connection, None]] = {}
        self.held_bytes = 0
        self.queued_bytes = 0
        self.unsent_bytes = 0
        # True from SIGTERM on: each response is the last one on its connection.
        self.draining = False
        # When the server stopped accepting connections.
        self._finishing_since: float | None = None
        self._dropped: Counter[str] = Counter()
        self._logged = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def opened(self, connection: Connection, now: float) -> None:
        """Registers a new connection. When there are too many, ends another one."""
        self.open[connection] = None
        self._networks.setdefault(connection.network, {})[connection] = None
        connection.since = now
        if self._timer is None:
            self._loop = asyncio.get_running_loop()
            self._arm()
        if len(self.open) > self.limits.connections:
            self._make_room(connection)
        if connection not in self.closing:
            self.reading[connection] = None

    def closed(self, connection: Connection) -> None:
        self.open.pop(connection, None)
        self.idle.pop(connection, None)
        self.closing.pop(connection, None)
        self.reserved.pop(connection, None)
        of_network = self._networks.get(connection.network, {})
        of_network.pop(connection, None)
        if not of_network:
            self._networks.pop(connection.network, None)
        self.unqueue(connection, connection.queued)
        self.read(connection)
        self.sent(connection)

    def hold(self, connection: Connection, size: int) -> None:
        """Counts bytes of an incomplete request. When all connections together hold too many, refuses the oldest incomplete requests."""
        connection.held += size
        self.held_bytes += size
        if self.held_bytes + self.queued_bytes > self.limits.buffered_bytes:
            for each in [each for each in self.reading if each.held > _SMALL]:
                self.drop("memory")
                each.refuse(503, "OVERLOADED", "Too many requests are being received at once. Try again later.")
                if self.held_bytes + self.queued_bytes <= self.limits.buffered_bytes:
                    break

    def queue(self, connection: Connection, size: int) -> bool:
        """Counts bytes of a complete request that waits for the one before it. Returns whether there is room for it."""
        connection.queued += size
        self.queued_bytes += size
        if self.held_bytes + self.queued_bytes <= self.limits.buffered_bytes:
            return True
        self.drop("memory")
        return False

    def unqueue(self, connection: Connection, size: int) -> None:
        connection.queued -= size
        self.queued_bytes -= size

    def read(self, connection: Connection) -> None:
        """Records that a request is complete, or will not be completed."""
        if self.reading.pop(connection, False) is None:
            self.held_bytes -= connection.held
            connection.held = 0

    def unsent(self, connection: Connection, now: float) -> None:
        """Counts the bytes that the client has not read. When all connections together have too many, drops those that have waited longest."""
        connection.unsent_since = now
        connection.unsent = connection.bytes_to_send()
        connection.unsent_mark = connection.bytes_to_take()
        self.sending[connection] = None
        self.unsent_bytes += connection.unsent
        self._bound_unsent()

    def _bound_unsent(self) -> None:
        while self.unsent_bytes > self.limits.unsent_bytes and len(self.sending) > 1:
            slowest = next(iter(self.sending))
            self.drop("memory")
            self.sent(slowest)
            slowest.abort()

    def sent(self, connection: Connection) -> None:
        if self.sending.pop(connection, False) is None:
            self.unsent_bytes -= connection.unsent
            connection.unsent = 0

    def close_within(self, connection: Connection, until: float) -> None:
        """Gives a connection that the server has closed until the time `until` to end by itself."""
        self.idle.pop(connection, None)
        self.reserved.pop(connection, None)
        self.read(connection)
        if connection in self.open:
            self.closing[connection] = until

    def drop(self, reason: str) -> None:
        self._dropped[reason] += 1

    def begin_draining(self) -> None:
        """Makes each response from now on the last one on its connection."""
        self.draining = True
        for each in self.open:
            each.finish_after_response()

    def finish(self) -> None:
        """Ends idle connections soon, and incomplete requests after a moment. The other connections end with their response."""
        self.begin_draining()
        if self._loop is not None and self._finishing_since is None:
            self._finishing_since = self._loop.time()
            if self._timer is not None:
                self._timer.cancel()
            self._sweep()

    def admits(self, connection: Connection, path: str) -> bool:
        """Returns whether to serve a request for `path` on a connection above the limit."""
        if path.startswith(self.limits.reserved_paths):
            return True
        if len(self.open) > self.limits.connections:
            return False
        del self.reserved[connection]
        return True

    def _make_room(self, newest: Connection) -> None:
        """Ends a connection: preferably an idle one, or else one with an incomplete request, or else one whose request waits.

        When one network has more than half of all connections, only its connections are considered; and a waiting request is given up only in favour
        of a network with fewer connections. When no connection can be ended, the newest is accepted above the limit until its head has been read.
        """
        self.drop("too many connections")
        largest = max(self._networks.values(), key=len)
        among = largest if 2 * len(largest) > self.limits.connections else self.open
        idle = next((each for each in self.idle if each in among), None)
        if idle is not None:
            idle.close()
            return
        reading = next((each for each in self.reading if each in among and each not in self.reserved), None)
        if reading is not None:
            _refuse(reading)
            return
        if len(largest) > len(self._networks[newest.network]) + 1:
            waiting = next((each for each in reversed(largest) if each not in self.closing), None)
            if waiting is not None:
                waiting.give_way()
                return
        self.reserved[newest] = None
        if len(self.reserved) > RESERVE:
            _refuse(next((each for each in self.reserved if each in self.reading), newest))

    def _arm(self) -> None:
        assert self._loop is not None
        each = _SWEEP_SECONDS if self._finishing_since is None else _DRAIN_SWEEP_SECONDS
        self._timer = self._loop.call_later(each, self._sweep)

    def _sweep(self) -> None:
        assert self._loop is not None
        now = self._loop.time()
        self._sweep_idle(now)
        for each in list(self.reading):
            each.time_out_reading(now)
        for each in list(self.sending):
            if each in self.sending:
                self._check_sending(each, now)
        for each, until in list(self.closing.items()):
            if each in self.sending:
                self.closing[each] = now + self.limits.send_seconds
            elif now >= until:
                each.abort()
        # Without open connections no further sweep follows, so this one logs regardless of the interval.
        if self._dropped and (not self.open or now - self._logged >= _LOG_SECONDS):
            self._log_dropped(now)
        if self.open:
            self._arm()
        else:
            self._timer = None

    def _sweep_idle(self, now: float) -> None:
        limit = self.limits.idle_seconds if self._finishing_since is None else _DRAIN_IDLE_SECONDS
        while self.idle:
            oldest = next(iter(self.idle))
            if now - oldest.since < limit:
                return
            oldest.close()

    def seconds_to_read(self, limit: float, begun: bool) -> float:
        """Returns how long a request may take to arrive. `begun` says whether a part of it has arrived; `limit` applies unless the server drains."""
        if self._finishing_since is None:
            return limit
        return min(limit, _DRAIN_READ_SECONDS if begun else _DRAIN_IDLE_SECONDS)

    @property
    def finishing(self) -> bool:
        return self._finishing_since is not None

    def _check_sending(self, connection: Connection, now: float) -> None:
        left = connection.bytes_to_send()
        self.unsent_bytes += left - connection.unsent
        connection.unsent = left
        took = now - connection.unsent_since
        if took >= self.limits.send_seconds:
            # The kernel can hold megabytes of a response: the client may be reading those while this process's part stays the same.
            left = connection.bytes_to_take()
            if connection.unsent_mark - left < took * _LOWEST_RATE:
                self.drop("slow reader")
                self.sent(connection)
                connection.abort()
                return
            connection.unsent_mark, connection.unsent_since = left, now
        self._bound_unsent()

    def _log_dropped(self, now: float) -> None:
        counts = {each.replace(" ", "_"): n for each, n in self._dropped.items()}
        _log.warning("connections were dropped", open=len(self.open), **counts)
        self._dropped.clear()
        self._logged = now


def _refuse(connection: Connection) -> None:
    connection.refuse(503, "OVERLOADED", "There are too many connections. Try again later.")
