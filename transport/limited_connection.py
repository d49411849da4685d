"""Extends uvicorn's HTTP connection so that timeouts, refusals and shutdown can end it. `protocol.py` adds the parsing and its limits."""

import asyncio
import fcntl
import struct
import termios
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from transport.connections import ConnectionLimits, Connections
from transport.flow_keys import network_of
from transport.headers import UNSENT
from transport.http_errors import TOO_MANY_CONNECTIONS, HTTPError, error_bytes
from transport.request_cycle import RequestCycle
from transport.start_queue import MANY_RUNNING

__all__ = ["BODY", "CONNECTIONS", "HEAD", "NOTHING", "LimitedConnection"]

# Where the application's lifespan puts the `Connections` of the process.
CONNECTIONS = "connections"

# After a refusal the rest of the request is read and discarded for a while: closing immediately would reset the connection, and the client might not
# receive the response.
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 1 << 20

# The part of a request that is being received.
NOTHING, HEAD, BODY = range(3)


class PipelineFlow(FlowControl):
    """Extends uvicorn's flow control: reading stays paused while a complete request waits for the one before it."""

    pipeline_waits = False

    def resume_reading(self) -> None:
        if not self.pipeline_waits:
            super().resume_reading()


class LimitedConnection(HttpToolsProtocol):
    """Extends uvicorn's connection with what `Connections` needs to count, time out and end it."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        connections = app_state.get(CONNECTIONS)
        if connections is None:
            connections = app_state[CONNECTIONS] = Connections(ConnectionLimits())
        self._connections: Connections = connections
        self._limits: ConnectionLimits = connections.limits
        self.since = 0.0
        self.held = 0
        self.queued = 0
        self.network: Hashable = None
        self.unsent = 0
        self.unsent_mark = 0
        self.unsent_since = 0.0
        self._part = NOTHING
        # Whether a request was refused, so that any further input is discarded; and the response, if it has to wait for that of an earlier request.
        self._refused = False
        self._refusal = b""
        self._discarded = 0
        self._running: RequestCycle | None = None

    # Called by the transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow: PipelineFlow = PipelineFlow(transport)
        self.network = network_of(self.client)
        self._connections.opened(self, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.closed(self)
        running = self._running
        if running is not None and not running.response_complete:
            # uvicorn informs only the newest request, but a pipelined one may wait behind the one that runs.
            running.disconnected = True
            running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)
        newest = self.cycle
        if newest is not None and newest is not running:
            # It may never run.
            newest.detach()  # type: ignore[attr-defined]  # it is our RequestCycle

    def pause_writing(self) -> None:
        super().pause_writing()
        self._connections.unsent(self, self.loop.time())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._connections.sent(self)

    def _start(self, cycle: RequestCycle) -> None:
        """Starts a request: at once, or in its turn while many others run."""
        self._running = cycle
        if len(self.tasks) < MANY_RUNNING or cycle.scope["path"].startswith(self._limits.reserved_paths):
            self._start_asgi_task(cycle, self.app)
        else:
            self._connections.starting.add(cycle, lambda cycle: self._start_asgi_task(cycle, self.app))

    def _become_idle(self) -> None:
        if not self.transport.is_closing():
            self.since = self.loop.time()
            self._connections.idle[self] = None

    def shutdown(self) -> None:
        """Does nothing: uvicorn calls it when the server stops listening, but `Connections.finish()` ends the connections."""

    # Called by `Connections`

    def time_out_reading(self, now: float) -> None:
        cycle = self.cycle
        reading_body = self._part == BODY
        waits_for_server = self.flow.read_paused or (reading_body and cycle.waiting_for_100_continue)
        if self._part and waits_for_server and not (reading_body and cycle.response_complete):
            # The client cannot send while the server does not read.
            self.since = now
            return
        limit = self._limits.body_seconds_of(self.scope["path"]) if reading_body else self._limits.header_seconds
        if now - self.since < self._connections.seconds_to_read(limit, begun=bool(self._part)):
            return
        if not self._part or (reading_body and cycle.response_complete):
            self._connections.drop("nothing sent" if not self._part else "slow body")
            self.close()
            return
        if self._connections.finishing:
            self.refuse(503, "SERVER_SHUTTING_DOWN", "The server is shutting down. Send the request again.")
        else:
            self._connections.drop("slow body" if reading_body else "slow head")
            part = "body" if reading_body else "head"
            self._refuse(HTTPError(408, "REQUEST_TIMEOUT", f"The {part} of the request took longer than {limit:g} seconds."))

    def bytes_to_send(self) -> int:
        """Returns the unsent bytes in this process: those in the transport's buffer, and the rest of a response that is sent in pieces."""
        running = self._running
        return self.transport.get_write_buffer_size() + (0 if running is None else running.scope.get(UNSENT, 0))  # type: ignore[operator]

    def bytes_to_take(self) -> int:
        """Returns `bytes_to_send()` plus the bytes in the kernel that the client has not acknowledged, which can be megabytes."""
        queued = 0
        accepted = self.transport.get_extra_info("socket")
        if accepted is not None:
            with suppress(OSError):
                [queued] = struct.unpack("i", fcntl.ioctl(accepted.fileno(), termios.TIOCOUTQ, b"\0" * 4))
        return self.bytes_to_send() + int(queued)

    def finish_after_response(self) -> None:
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_started:
                cycle.keep_alive = False

    def close(self) -> None:
        self.transport.close()
        self._closed_by_us()

    def abort(self) -> None:
        self.transport.abort()

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answers an incomplete request with an error, and closes the connection immediately."""
        self._refuse(HTTPError(status, code, message), linger=False)

    def give_way(self) -> None:
        """Ends the connection to make room for others. Its waiting request is refused, and cancelled as if the client had disconnected."""
        running = self._running
        if running is None or running.response_started or self.flow.write_paused:
            self.abort()
            self._closed_by_us()
            return
        running.disconnected = True
        running.message_event.set()
        self.transport.write(error_bytes(TOO_MANY_CONNECTIONS, self.server_state.default_headers))
        self.close()

    # Responses without the application

    def _answer_at_once(self, cycle: RequestCycle, status: int, rest: bytes) -> None:
        """Answers without the application. The request's body, if any, is read and discarded, and the connection stays open."""
        cycle.response_started = cycle.response_complete = True
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        self._write(status, closing, rest)
        if not cycle.keep_alive:
            self.close()

    def _write(self, status: int, closing: bytes, rest: bytes) -> None:
        own = b"".join(b"%s: %s\r\n" % each for each in self.server_state.default_headers)
        self.transport.write(b"".join((STATUS_LINE[status], own, closing, rest)))
        self.server_state.total_requests += 1

    # Refusals

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > _LINGER_BYTES and not self.transport.is_closing():
            self.close()

    def _refuse(self, error: HTTPError, *, linger: bool = True) -> None:
        """Answers a request that can't be read further with an error, after the requests before it, and closes the connection."""
        self._refused = True
        # Some errors are module constants: every time one is raised it would keep the frames that it passed through alive.
        error.__traceback__ = error.__context__ = None
        # Release what has been received: the connection may stay open for a while.
        self.parser = None  # type: ignore[assignment]
        self.headers = []
        self.url = b""
        self._connections.idle.pop(self, None)
        self._connections.read(self)
        answer = error_bytes(error, self.server_state.default_headers)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._send_error(answer, linger=linger)
            return
        # `cycle` belongs to the refused request if its head was complete, or else to an earlier one that is still being answered.
        is_of_refused = self._part == BODY
        if is_of_refused and self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
            self._connections.unqueue(self, cycle.queued)  # type: ignore[attr-defined]  # it is our RequestCycle
            is_of_refused = False
        if not is_of_refused:
            self._refusal = answer
            return
        cycle.disconnected = True
        cycle.body = bytearray()
        cycle.message_event.set()
        if cycle.response_started:
            self.close()
        else:
            self._send_error(answer, linger=linger)

    def _send_error(self, error: bytes, *, linger: bool) -> None:
        self._part = NOTHING
        if self.transport.is_closing():
            return
        self.transport.write(error)
        if linger:
            self.transport.write_eof()
            # Reading may be paused, and then nothing would be discarded.
            self.flow.pipeline_waits = False
            self.flow.resume_reading()
            self._connections.close_within(self, self.loop.time() + _LINGER_SECONDS)
        else:
            self.close()

    def _closed_by_us(self) -> None:
        self._connections.close_within(self, self.loop.time() + self._limits.send_seconds)
