"""A request and its answer: uvicorn's cycle, whose failures are answered in JSON, and which writes an ordinary answer at once."""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from transport.disconnect import ON_DISCONNECT
from transport.header_lines import default_lines, header_lines
from transport.http_errors import HTTPError, error_response
from transport.mutation_state import OUTCOME_UNKNOWN, mutation_started

__all__ = ["RequestCycle"]

_FAILED = HTTPError(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side.")
_SHUTTING_DOWN = HTTPError(503, "SERVER_SHUTTING_DOWN", "The server is being stopped. Send the request again.")
# No 503: clients and proxies send again by themselves what got one.
_CUT_OFF = HTTPError(
    500,
    OUTCOME_UNKNOWN,
    "The server is being stopped, and the mutation was cut off after it had begun: some of it may have been done. "
    "Look before you send it again. With an idempotency key it may be sent again.",
)
# A body that is shorter is copied behind its head, which takes less time than to hand over two pieces.
_COPIED = 16_384


class RequestCycle(RequestResponseCycle):
    """One request. A task that the drain cancels answers that the server is being stopped, and whether the request may be sent again; what the
    application let through is a 500.
    """

    # Bytes of it that are counted while it waits for the request before it.
    queued = 0
    _disconnected = False

    @property
    def disconnected(self) -> bool:
        """Whether the client has left, or its request has been given up. Set by uvicorn's protocol and by ours."""
        return self._disconnected

    @disconnected.setter
    def disconnected(self, disconnected: bool) -> None:
        self._disconnected = disconnected
        if disconnected:
            on_disconnect = self.scope.get(ON_DISCONNECT)
            if on_disconnect is not None:
                on_disconnect()  # type: ignore[operator]

    # The beginning of an answer of a known length. It is sent with the body.
    _start: Any = None

    async def send(self, message: Any) -> None:
        """Sends a message of the application's. An answer in one piece is written at once, without uvicorn's checks of each header."""
        start = self._start
        if start is None:
            if message["type"] == "http.response.start" and not self.response_started and _has_length(message["headers"]):
                self._start = message
            else:
                await super().send(message)
            return
        self._start = None
        body = message.get("body", b"")
        if not message.get("more_body", False) and not self.flow.write_paused and not self.disconnected and not self.access_log:
            lines = header_lines(start["headers"], len(body))
            if lines is not None and self.scope["method"] != "HEAD":
                self._write_whole(start["status"], lines, body)
                return
        await super().send(start)
        await super().send(message)

    def _write_whole(self, status: int, lines: list[bytes], body: bytes) -> None:
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        closing = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        head = (STATUS_LINE[status], default_lines(self.default_headers), *lines, closing)
        if len(body) < _COPIED:
            self.transport.write(b"".join((*head, body)))
        else:
            self.transport.write(b"".join(head))
            self.transport.write(body)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def run_asgi(self, app: ASGI3Application) -> None:
        try:
            await app(self.scope, self.receive, self.send)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            await self._fail(_CUT_OFF if mutation_started(self.scope) else _SHUTTING_DOWN)  # type: ignore[arg-type]
        except BaseException as error:
            self.logger.error("Exception in ASGI application", exc_info=error)
            await self._fail(_FAILED)
        else:
            if not self.response_complete and not self.disconnected:
                self.logger.error("the application returned without a whole answer")
                await self._fail(_FAILED)
        finally:
            self.on_response = lambda: None

    async def _fail(self, error: HTTPError) -> None:
        self._start = None
        if self.response_started:
            self.transport.close()
            return
        headers, body = error_response(error)
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})  # type: ignore[typeddict-item]
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _has_length(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the length of an answer is known at its beginning. Of one that is sent as it is made, the head goes at once."""
    for name, _ in headers:  # noqa: SIM110 - any() of a generator takes three times as long
        if name == b"content-length":
            return True
    return False
