"""The HTTP server of one process: it says that it drains, then ends without losing a request that it has accepted."""

import asyncio
import ctypes
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import Any

import structlog
import uvicorn

from config import load_settings
from transport.connections import RESERVE, Connections
from transport.limited_connection import CONNECTIONS

__all__ = ["DrainingServer", "listeners", "refuse_new_connections"]

_log = structlog.get_logger("rollcall.http_server")

_LISTENERS = 16
# Handshakes that have begun when new connections are refused get this long to end.
_HANDSHAKE_SECONDS = 0.2
# Requests that are cancelled at the end of the drain get this long to answer that they were.
_CANCELLED_SECONDS = 1.0
# Open files of a process beside its connections: the pool's, logs, the event loop's.
_OTHER_FILES = 100


class DrainingServer(uvicorn.Server):
    """uvicorn's server with a drain that loses nothing.

    On SIGTERM it is `not_ready` for `DRAIN_NOTICE_SECONDS`, while load balancers notice: it goes on accepting, and each answer is the last one
    of its connection. Then it stops listening, and requests have `DRAIN_SECONDS` to end. `owns_socket()` says whether the listening socket ends with it:
    other workers may go on with it. `on_started()` and `on_tick()` tell a supervisor that the server has started and that its event loop runs.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        owns_socket: Callable[[], bool] = lambda: True,
        on_started: Callable[[], None] = lambda: None,
        on_second: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._owns_socket = owns_socket
        self._on_started = on_started
        self._on_second = on_second
        self._notified = False

    @property
    def _connections(self) -> Connections | None:
        connections: Connections | None = self.lifespan.state.get(CONNECTIONS)
        return connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._connections is not None:
            _allow_open_files(self._connections)
        self._on_started()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            self._on_second()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        app: Any = self.config.loaded_app if self.config.loaded else None
        services = getattr(getattr(_innermost(app), "state", None), "services", None)
        notice = load_settings().drain_notice_seconds
        if sig == signal.SIGTERM and self._notified:
            # A supervisor of processes may send it to each of them, and our parent does.
            return
        if sig != signal.SIGTERM or services is None or not self.started or notice == 0:
            super().handle_exit(sig, frame)
            return
        self._notified = True
        self._captured_signals.append(sig)
        services.health.draining = True
        asyncio.get_running_loop().call_soon_threadsafe(self._give_notice, notice)

    def _give_notice(self, seconds: float) -> None:
        if self._connections is not None:
            self._connections.begin_draining()
        asyncio.get_running_loop().call_later(seconds, setattr, self, "should_exit", True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + (self.config.timeout_graceful_shutdown or 0)
        await self._stop_listening(sockets or [])
        if self._connections is not None:
            self._connections.finish()
        state = self.server_state
        while (state.connections or state.tasks) and loop.time() < end and not self.force_exit:  # noqa: ASYNC110 - uvicorn keeps them in sets
            await asyncio.sleep(0.02)
        if state.tasks:
            _log.warning("requests were cancelled: they took longer than DRAIN_SECONDS", requests=len(state.tasks))
            for task in state.tasks:
                task.cancel("the drain is over")
            await asyncio.wait(state.tasks, timeout=_CANCELLED_SECONDS)
        for connection in list(state.connections):
            connection.transport.close()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        if self._owns_socket():
            # The others are duplicates of the first.
            for each in sockets[:1]:
                refuse_new_connections(each)
                await asyncio.sleep(_HANDSHAKE_SECONDS)
                await self._accept_rest(each)
        for server in self.servers:
            server.close()
        for each in sockets:
            each.close()

    async def _accept_rest(self, listening: socket.socket) -> None:
        """Takes the connections that the kernel has accepted for us: they would be reset when the socket is closed."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            try:
                accepted, _ = listening.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # that client has left; others wait behind it
            except OSError as error:
                # No files are left, for example. The drain goes on.
                _log.warning("connections that wait were not accepted", error=error.strerror)
                return
            try:
                await loop.connect_accepted_socket(self._make_protocol, accepted)
            except OSError:
                accepted.close()

    def _make_protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        made: asyncio.Protocol = make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made


def listeners(listening: socket.socket) -> list[socket.socket]:
    """Duplicates a listening socket, so that the event loop accepts several connections in one turn.

    libuv accepts one connection a turn for each listener. Under load a turn takes some milliseconds, and with a single listener new connections,
    those of probes too, wait behind each other for seconds.
    """
    # All workers share one open file. A socket object that a worker is given does not know that it is non-blocking, and `dup` would make it
    # blocking for all: the others would wait in accept(2), and their event loops with them.
    listening.setblocking(False)
    return [listening, *(listening.dup() for _ in range(_LISTENERS - 1))]


def _innermost(app: object) -> object:
    while not hasattr(app, "state") and hasattr(app, "app"):
        app = app.app
    return app


# A packet filter of the kernel's (socket(7), SO_ATTACH_FILTER): load the TCP flags; with SYN among them, take nothing of the packet; else all of it.
_DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
_SO_ATTACH_FILTER = 26


def refuse_new_connections(listening: socket.socket) -> None:
    """Lets no new connection into a socket's queue, while those that are in it can still be accepted.

    A socket that is closed resets the connections in its queue, and there is no other way to stop it from taking more of them. A client whose SYN
    is dropped tries again after a second, and is refused then: it knows that nothing of its request has arrived.
    """
    if sys.platform == "linux":
        filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _DROP_SYN))
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), ctypes.addressof(filters)))
            return
    with suppress(OSError):
        listening.listen(0)


def _allow_open_files(connections: Connections) -> None:
    """Raises this process's limit of open files to what its connections need; lowers the number of connections when that is not allowed."""
    needed = connections.limits.connections + RESERVE + load_settings().pool_max_size + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        allowed = max(10, connections.limits.connections - (needed - hard))
        _log.warning("MAX_CONNECTIONS is lowered: the limit of open files is too low", connections=allowed, open_files=hard)
        connections.limits = replace(connections.limits, connections=allowed)
        needed = hard
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
