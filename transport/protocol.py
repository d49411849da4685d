"""Implements HTTP/1.1 with uvicorn's httptools protocol, and enforces limits while a request is being received.

uvicorn itself does not limit heads, trailers or chunk framing, has timeouts for idle connections only, and answers errors in plain text. Requests
that this protocol refuses are answered in JSON, with a code and the headers of every other response, and the connection is closed.
"""

import asyncio
import urllib.parse
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from transport.admission import ADMISSION, Admission
from transport.http_errors import TOO_MANY_CONNECTIONS, HTTPError
from transport.limited_connection import BODY, HEAD, NOTHING, LimitedConnection
from transport.load_shedding import early_refusal
from transport.raw_load_shedding import PlainRequest
from transport.request_cycle import RequestCycle
from transport.request_head import (
    MAX_HEADERS,
    NOT_HTTP,
    ORDINARY_HEAD_BYTES,
    TOO_MANY_HEADERS,
    check_head,
    check_size,
    check_upgrade,
    headers_too_large,
    split_target,
    url_too_long,
    without_upgrade,
)

__all__ = ["HTTPProtocol"]

# The limits are checked after each slice of this size.
_SLICE = 65_536
# The memory that a header takes in addition to its bytes.
_HEADER_BYTES = 150
# The limit of requests that wait on one connection for the one before them, and of requests from one read that load shedding answers one by one,
# since a read can hold thousands.
_MAX_PIPELINED = 4
# A connection remembers the parsed URL of its last request if it is not longer than this, for the next request with the same URL.
_MAX_REMEMBERED_URL = 200

_TOO_MANY_BYTES = HTTPError(503, "OVERLOADED", "Too many requests are being received at once. Try again later.")
_TOO_MUCH_FRAMING = HTTPError(413, "CHUNKS_NOT_REASONABLE", "The chunk framing is larger than the data. Send larger chunks.")


class HTTPProtocol(LimitedConnection):
    """Parses the requests of one connection and starts the application for them."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._admission: Admission | None = app_state.get(ADMISSION)
        # The last one that was parsed while the server was overloaded.
        self._plain_request: PlainRequest | None = None
        # Whether `since` is the time when the body began.
        self._body_timed = False
        # Bytes of the request other than its body: head, chunk framing, trailers. An upper bound while the head is being received.
        self._overhead = 0
        self._body_bytes = 0
        self._trailer_bytes = 0
        self._hosts: list[bytes] = []
        # Of the last valid request on this connection: its Host, and its URL with its path, raw path and query.
        self._known_hosts: list[bytes] | None = None
        self._known_target = (b"", "", b"", b"")
        # The number of requests that began in the bytes received last.
        self._begun = 0
        self._received = 0
        self._in_chunk = False
        self._drops_upgrade = False

    def data_received(self, data: bytes) -> None:
        admission = self._admission
        if admission is not None and admission.waiting and self._is_refused_unparsed(admission, data):
            return
        if len(data) > _SLICE:
            # The event loop reads 250 KiB at once, which can be 40,000 headers: the limits are checked in between.
            for at in range(0, len(data), _SLICE):
                self._receive(data[at : at + _SLICE])
        else:
            self._receive(data)

    def _is_refused_unparsed(self, admission: Admission, data: bytes) -> bool:
        """Answers a plain request without parsing it, if it would be refused. Returns whether it was refused; the connection is idle then."""
        connections = self._connections
        is_idle = self in connections.idle
        if not is_idle and (self.cycle is not None or self._part or self._refused):
            # A request is being received or answered.
            return False
        if connections.draining or connections.reserved or self.flow.write_paused or self.transport.is_closing():
            return False
        request = self._plain_request
        if request is None or not request.is_head_of(data):
            request = self._plain_request = PlainRequest.read(admission, data, self.client)
        refusal = None if request is None else request.refusal(admission)
        if refusal is None:
            return False
        self._write(503, b"", refusal)
        if is_idle:
            del connections.idle[self]  # to move it to the end: the set is ordered by idle time
        else:
            connections.read(self)
        self._become_idle()
        return True

    def _receive(self, data: bytes) -> None:
        if self._refused:
            self._discard(len(data))
            return
        if self.transport.is_closing():
            return
        self._received = len(data)
        self._overhead += self._received
        self._begun = 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._drop_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            # With too many connections, none is kept open to make sure that its client reads the refusal.
            self._refuse(cause if isinstance(cause, HTTPError) else NOT_HTTP, linger=cause is not TOO_MANY_CONNECTIONS)
        except httptools.HttpParserError:
            self._refuse(NOT_HTTP)
        else:
            if self._part:
                self._check_unfinished()

    # Called by the parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._connections.idle.pop(self, None)
        # If this is not the first request in the bytes received, where it began is unknown, and its head is measured when it is complete.
        self._overhead = self._received if self._begun == 0 else 0
        self._begun += 1
        self._part = HEAD
        self._body_timed = self._in_chunk = self._drops_upgrade = False
        self._body_bytes = self._trailer_bytes = self._discarded = 0
        self._hosts = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part == BODY:
            # A trailer. It must not become a header: the application has already read those and acted on them.
            self._trailer_bytes += len(name) + len(value) + 4
            if self._trailer_bytes > self._limits.header_bytes:
                raise headers_too_large(self._limits)
            return
        name = name.lower()
        if name == b"host":
            self._hosts.append(value)
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        if self._overhead > ORDINARY_HEAD_BYTES or self._begun > 1:
            # More was received than an ordinary head has, though some of it may be the body.
            check_size(self.url, self.headers, self._limits)
        if version != "1.1" or self._hosts != self._known_hosts or len(self.headers) > MAX_HEADERS:
            check_head(version, self.headers, self._hosts)
            self._known_hosts = self._hosts
        method = self.parser.get_method()
        if self.parser.should_upgrade():
            check_upgrade(method, self.headers)
            self._drops_upgrade = True
            return
        self._part = BODY
        scope = self.scope
        scope["method"] = method.decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        url, path, raw_path, query = self._known_target
        if self.url != url:
            path, raw_path, query = self._read_target()
        scope["path"] = path
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        last = version == "1.0" or not self.parser.should_keep_alive() or self._is_last(path)
        before = self.cycle
        cycle = self.cycle = RequestCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=not last,
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            admission = self._admission
            refusal = None
            # If the client does not read its responses, the application answers instead, since it waits until the client does.
            if admission is not None and admission.waiting and not self.flow.write_paused:
                refusal = early_refusal(admission, cycle.scope)
            if refusal is None:
                self._start(cycle)
            elif self._begun <= _MAX_PIPELINED:
                self._answer_at_once(cycle, 503, refusal)
            else:
                raise HTTPError(503, "OVERLOADED", "The server is overloaded. Try again in a moment.")
        else:
            self._wait_in_line(cycle)

    def _read_target(self) -> tuple[str, bytes, bytes]:
        """Returns the path, the raw path and the query of the request's URL. Those of a short URL are remembered for the next request."""
        raw_path, query = split_target(self.url)
        path = raw_path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        path, raw_path = self.root_path + path, self.root_path.encode("ascii") + raw_path
        if len(self.url) <= _MAX_REMEMBERED_URL:
            self._known_target = (self.url, path, raw_path, query)
        return path, raw_path, query

    def _is_last(self, path: str) -> bool:
        """Returns whether the connection ends with the response to this request. Raises HTTPError if there are too many connections to answer it."""
        connections = self._connections
        if connections.reserved and self in connections.reserved:
            if not connections.admits(self, path):
                raise TOO_MANY_CONNECTIONS
            return self in connections.reserved
        return connections.draining

    def on_body(self, body: bytes) -> None:
        size = len(body)
        self._overhead -= size
        self._body_bytes += size
        cycle = self.cycle
        if cycle.response_complete:
            self._discard(size)
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_chunk_header(self) -> None:
        self._in_chunk = True

    def on_chunk_complete(self) -> None:
        self._in_chunk = False

    def on_message_complete(self) -> None:
        if self._drops_upgrade:
            return
        self._part = NOTHING
        self._connections.read(self)
        cycle = self.cycle
        if cycle.response_complete:
            self._become_idle()
            return
        if self.pipeline and self.pipeline[0][0] is cycle:
            self._count_queued(cycle, len(cycle.body))
        cycle.more_body = False
        cycle.message_event.set()

    # Pipelined requests, which wait for the one before them

    def _wait_in_line(self, cycle: RequestCycle) -> None:
        self.flow.pipeline_waits = True
        self.flow.pause_reading()
        self.pipeline.appendleft((cycle, self.app))
        if len(self.pipeline) > _MAX_PIPELINED:
            raise HTTPError(400, "TOO_MANY_PIPELINED_REQUESTS", f"Send at most {_MAX_PIPELINED} requests before reading the responses.")
        self._count_queued(cycle, len(self.url) + sum(len(name) + len(value) + _HEADER_BYTES for name, value in self.headers))

    def _count_queued(self, cycle: Any, size: int) -> None:
        cycle.queued += size
        if not self._connections.queue(self, size):
            self._part = BODY
            raise _TOO_MANY_BYTES

    # Responses

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._running = None
        if self.transport.is_closing():
            self._closed_by_us()
            return
        following: RequestCycle | None = None
        if self.pipeline:
            following = self.pipeline.pop()[0]  # type: ignore[assignment]
        self.flow.pipeline_waits = bool(self.pipeline)
        self.flow.resume_reading()
        if following is not None:
            self._connections.unqueue(self, following.queued)
            self._start(following)
        elif self._refusal:
            self._send_error(self._refusal, linger=True)
        elif not self._part:
            self._become_idle()

    # Limits

    def _drop_upgrade(self, rest: bytes) -> None:
        """Parses a request again without its Upgrade header: Java's client and curl send `Upgrade: h2c` with requests that have a body."""
        head = without_upgrade(self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._part = NOTHING
        self._receive(head + rest)

    def _check_unfinished(self) -> None:
        """Checks an incomplete request against the limits, and registers it for the sweep to time out."""
        limits, connections = self._limits, self._connections
        if self not in connections.reading:
            self.since = self.loop.time()
            connections.reading[self] = None
        if self._part == HEAD:
            if len(self.url) > limits.url_bytes:
                self._refuse(url_too_long(limits))
            elif self._overhead - len(self.url) > limits.header_bytes:
                self._refuse(headers_too_large(limits))
            elif len(self.headers) > MAX_HEADERS:
                self._refuse(TOO_MANY_HEADERS)
            else:
                connections.hold(self, self._received)
            return
        if not self._body_timed:
            self._body_timed = True
            self.since = self.loop.time()
            # From here on only chunk framing and trailers count; bytes of them that arrived with the head are ignored.
            self._overhead = 0
        if self._overhead > limits.header_bytes + self._body_bytes:
            self._refuse(headers_too_large(limits) if self._in_chunk else _TOO_MUCH_FRAMING)
            return
        if not self.cycle.response_complete:
            connections.hold(self, self._received)
