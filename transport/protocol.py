"""HTTP/1.1 as this server speaks it: uvicorn's protocol over httptools, with limits that are enforced while bytes arrive.

uvicorn's own has no limit for a head, trailers or chunk framing, no time limit but for idle connections, and answers in plain text.
What the protocol refuses is answered in JSON, with a code and the headers of every other answer, and the connection is closed.
"""

import asyncio
import urllib.parse
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
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

# How much is parsed before the limits are looked at.
_SLICE = 65_536
# What a header takes in memory beside its bytes.
_HEADER_BYTES = 150
# Requests that wait on one connection for the one before them, and of those that are refused at once in one read: it can bring thousands.
_MAX_PIPELINED = 4
# Of a kept connection, what was worked out for the request before is used again when the address has no more bytes than these.
_REMEMBERED_BYTES = 200

_TOO_MANY_BYTES = HTTPError(503, "OVERLOADED", "Too many requests are being received at once. Try again later.")
_TOO_MUCH_FRAMING = HTTPError(413, "CHUNKS_NOT_REASONABLE", "The chunks' framing is larger than what is in them.")


class HTTPProtocol(LimitedConnection):
    """One connection."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._admission: Admission | None = app_state.get(ADMISSION)
        # The last one that was looked at while the server was overloaded.
        self._plain_request: PlainRequest | None = None
        # Whether `since` says when the body began.
        self._body_timed = False
        # Bytes of the request that are not its body: head, chunk framing, trailers. An upper bound while the head is read.
        self._overhead = 0
        self._body_bytes = 0
        self._trailer_bytes = 0
        self._hosts: list[bytes] = []
        # What the last request on this connection had, well-formed: its Host, and its address with the path, the raw path and the query of it.
        self._known_hosts: list[bytes] | None = None
        self._known_target = (b"", "", b"", b"")
        # Requests that began in the bytes that were received last.
        self._begun = 0
        self._received = 0
        self._in_chunk = False
        self._drops_upgrade = False

    def data_received(self, data: bytes) -> None:
        admission = self._admission
        if admission is not None and admission.waiting and self._is_refused_unparsed(admission, data):
            return
        if len(data) > _SLICE:
            # The event loop reads 250 KiB at once, which can be 40,000 headers: the limits are looked at in between.
            for at in range(0, len(data), _SLICE):
                self._receive(data[at : at + _SLICE])
        else:
            self._receive(data)

    def _is_refused_unparsed(self, admission: Admission, data: bytes) -> bool:
        """Answers a whole request that would be refused, if it is as plain as most are, and stays idle."""
        connections = self._connections
        is_idle = self in connections.idle
        if not is_idle and (self.cycle is not None or self._part or self._refused):
            # Neither between two requests nor before the first one.
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
            del connections.idle[self]  # what has been idle for the longest time is first
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
            # When there are too many connections, none stays a while longer to see that its refusal is read.
            self._refuse(cause if isinstance(cause, HTTPError) else NOT_HTTP, linger=cause is not TOO_MANY_CONNECTIONS)
        except httptools.HttpParserError:
            self._refuse(NOT_HTTP)
        else:
            if self._part:
                self._check_unfinished()

    # The parser's calls

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._connections.idle.pop(self, None)
        # Of what was received, the part before this request is unknown when it is not the first: then its head is measured at its end.
        self._overhead = self._received if self._begun == 0 else 0
        self._begun += 1
        self._part = HEAD
        self._body_timed = self._in_chunk = self._drops_upgrade = False
        self._body_bytes = self._trailer_bytes = self._discarded = 0
        self._hosts = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part == BODY:
            # A trailer. It is no header: the application has seen those, and decided by them.
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
            # More was received than most heads have; the body may be a part of it.
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
            # A client that does not take its answers gets the next one from the application, which waits for it.
            if admission is not None and admission.waiting and not self.flow.write_paused:
                refusal = early_refusal(admission, cycle.scope)
            if refusal is None:
                self._start(cycle)
            elif self._begun <= _MAX_PIPELINED:
                self._answer_at_once(cycle, 503, refusal)
            else:
                raise HTTPError(503, "OVERLOADED", "The server has more to do than it can. Try again in a moment.")
        else:
            self._wait_in_line(cycle)

    def _read_target(self) -> tuple[str, bytes, bytes]:
        """The path, the raw path and the query of the request's target. Those of a short one are kept for the next request."""
        raw_path, query = split_target(self.url)
        path = raw_path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        path, raw_path = self.root_path + path, self.root_path.encode("ascii") + raw_path
        if len(self.url) <= _REMEMBERED_BYTES:
            self._known_target = (self.url, path, raw_path, query)
        return path, raw_path, query

    def _is_last(self, path: str) -> bool:
        """Whether the connection ends with the answer to this request. Raises HTTPError when there is none, since there are too many connections."""
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

    # Requests that wait for the one before them

    def _wait_in_line(self, cycle: RequestCycle) -> None:
        self.flow.pipeline_waits = True
        self.flow.pause_reading()
        self.pipeline.appendleft((cycle, self.app))
        if len(self.pipeline) > _MAX_PIPELINED:
            raise HTTPError(400, "TOO_MANY_PIPELINED_REQUESTS", f"Send at most {_MAX_PIPELINED} requests before reading answers.")
        self._count_queued(cycle, len(self.url) + sum(len(name) + len(value) + _HEADER_BYTES for name, value in self.headers))

    def _count_queued(self, cycle: Any, size: int) -> None:
        cycle.queued += size
        if not self._connections.queue(self, size):
            self._part = BODY
            raise _TOO_MANY_BYTES

    # The answers

    def _start(self, cycle: RequestCycle) -> None:
        self._running = cycle
        self._start_asgi_task(cycle, self.app)

    def _answer_at_once(self, cycle: RequestCycle, status: int, rest: bytes) -> None:
        """Answers without the application. The body, if there is one, is read and thrown away, and the connection stays."""
        cycle.response_started = cycle.response_complete = True
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        self._write(status, closing, rest)
        if not cycle.keep_alive:
            self.close()

    def _write(self, status: int, closing: bytes, rest: bytes) -> None:
        own = b"".join(b"%s: %s\r\n" % each for each in self.server_state.default_headers)
        self.transport.write(b"".join((STATUS_LINE[status], own, closing, rest)))
        self.server_state.total_requests += 1

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
            self._say(self._refusal, linger=True)
        elif not self._part:
            self._become_idle()

    # Limits

    def _drop_upgrade(self, rest: bytes) -> None:
        """Reads a request again without its wish for another protocol (`Upgrade: h2c`): Java's client and curl send one with a body."""
        head = without_upgrade(self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._part = NOTHING
        self._receive(head + rest)

    def _check_unfinished(self) -> None:
        """Holds what has arrived of a request to the limits, and has the sweep look after it."""
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
            # From here on only chunk framing and trailers count: the bytes that came with the head are let off.
            self._overhead = 0
        if self._overhead > limits.header_bytes + self._body_bytes:
            self._refuse(headers_too_large(limits) if self._in_chunk else _TOO_MUCH_FRAMING)
            return
        if not self.cycle.response_complete:
            connections.hold(self, self._received)
