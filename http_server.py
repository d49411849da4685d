"""Runs uvicorn in one process with a graceful drain: announces that it is draining, then ends without losing an accepted request."""

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
# How long TCP handshakes may take to complete after new connections are refused.
_HANDSHAKE_SECONDS = 0.2
# How long requests may take to send an error after they are cancelled at the end of the drain.
_CANCELLED_SECONDS = 1.0
# Open files of a process besides its client connections: the pool's, logs, the event loop's.
_OTHER_FILES = 100


class DrainingServer(uvicorn.Server):
    """uvicorn's server with a drain that loses no request.

    On SIGTERM it reports `not_ready` for `DRAIN_NOTICE_SECONDS`, so that load balancers notice; it still accepts connections, and closes each one
    after its next response. Then it stops listening, and running requests have `DRAIN_SECONDS` to end. `owns_socket()` returns whether the
    listening socket is closed with this server; otherwise other workers keep using it. `on_started()` is called when the server has started,
    `on_second()` every second while its event loop runs.
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
            # The signal may arrive twice: from a service manager that signals every process, and from the parent.
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
            _log.warning("requests were cancelled because they took longer than DRAIN_SECONDS", requests=len(state.tasks))
            for task in state.tasks:
                task.cancel("the drain is over")
            await asyncio.wait(state.tasks, timeout=_CANCELLED_SECONDS)
        for connection in list(state.connections):
            connection.transport.close()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        if self._owns_socket():
            # The other sockets are duplicates of the first.
            for each in sockets[:1]:
                refuse_new_connections(each)
                await asyncio.sleep(_HANDSHAKE_SECONDS)
                await self._accept_rest(each)
        for server in self.servers:
            server.close()
        for each in sockets:
            each.close()

    async def _accept_rest(self, listening: socket.socket) -> None:
        """Accepts the connections in the kernel's queue, which would be reset when the socket is closed."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        while True:
            try:
                accepted, _ = listening.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # this client has disconnected; others are waiting behind it
            except OSError as error:
                # For example, the limit of open files is reached. The drain continues.
                _log.warning("waiting connections could not be accepted", error=error.strerror)
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
    """Duplicates a listening socket, so that the event loop accepts several connections in each iteration.

    libuv accepts one connection per listener in each iteration. Under load an iteration takes several milliseconds, and with a single listener
    new connections, including those of probes, would queue for seconds.
    """
    # All workers share one open file description. A socket object that a worker has inherited does not know that it is non-blocking, and `dup`
    # would make it blocking for all workers: their event loops would block in accept(2).
    listening.setblocking(False)
    return [listening, *(listening.dup() for _ in range(_LISTENERS - 1))]


def _innermost(app: object) -> object:
    while not hasattr(app, "state") and hasattr(app, "app"):
        app = app.app
    return app


# A packet filter for the kernel (socket(7), SO_ATTACH_FILTER): loads the TCP flags, drops packets with SYN, and accepts all others.
_DROP_SYN = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
_SO_ATTACH_FILTER = 26


def refuse_new_connections(listening: socket.socket) -> None:
    """Stops new connections from entering a socket's queue; those in the queue can still be accepted.

    Closing the socket would reset the connections in its queue, and there is no other way to stop new ones. A client whose SYN is dropped retries
    after a second and is refused then, so it knows that none of its request was received.
    """
    if sys.platform == "linux":
        filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _DROP_SYN))
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), ctypes.addressof(filters)))
            return
    with suppress(OSError):
        listening.listen(0)


def _allow_open_files(connections: Connections) -> None:
    """Raises this process's limit of open files to what its connections need, or lowers the number of connections if that is not permitted."""
    needed = connections.limits.connections + RESERVE + load_settings().pool_max_size + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        allowed = max(10, connections.limits.connections - (needed - hard))
        _log.warning("MAX_CONNECTIONS was lowered because the limit of open files is too low", connections=allowed, open_files=hard)
        connections.limits = replace(connections.limits, connections=allowed)
        needed = hard
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
