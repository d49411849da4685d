"""Extends uvicorn's request/response cycle: failures are answered in JSON, and an ordinary response is sent with one write."""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from execution.errors import internal_error_message
from transport.disconnect import ON_DISCONNECT
from transport.header_lines import default_lines, header_lines
from transport.http_errors import HTTPError, error_response
from transport.mutation_state import OUTCOME_UNKNOWN, mutation_started
from transport.request_id import request_id_of

__all__ = ["RequestCycle"]


_SHUTTING_DOWN = HTTPError(503, "SERVER_SHUTTING_DOWN", "The server is shutting down. Send the request again.")
# Not a 503, because clients and proxies retry those automatically.
_CUT_OFF = HTTPError(
    500,
    OUTCOME_UNKNOWN,
    "The server is shutting down and cut the mutation off after it had begun: some of it may have been done. "
    "Check its effects before you send it again. With an idempotency key you can send it again safely.",
)
# A shorter body is appended to its head, because copying it takes less time than a second write.
_MAX_COPIED_BYTES = 16_384


class RequestCycle(RequestResponseCycle):
    """Runs the application for one request.

    A request that shutdown cancels is answered with SERVER_SHUTTING_DOWN, or with OUTCOME_UNKNOWN if its mutation had begun. Exceptions that the
    application lets through are answered with 500.
    """

    # Bytes that `Connections` counts for this request while it waits for the one before it.
    queued = 0
    _disconnected = False

    @property
    def disconnected(self) -> bool:
        """Whether the client has disconnected, or the request has been given up. Set by uvicorn's protocol and by ours."""
        return self._disconnected

    @disconnected.setter
    def disconnected(self, disconnected: bool) -> None:
        self._disconnected = disconnected
        if disconnected:
            on_disconnect = self.scope.get(ON_DISCONNECT)
            if on_disconnect is not None:
                on_disconnect()  # type: ignore[operator]

    # The `http.response.start` message of a response of known length. It is sent together with the body.
    _start: Any = None

    async def send(self, message: Any) -> None:
        """Sends an ASGI message. A response in one piece is sent with a single write, without uvicorn's checks of each header."""
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
        if len(body) < _MAX_COPIED_BYTES:
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
        except BaseException as error:  # noqa: BLE001 - any exception is logged and answered
            await self._fail(self._internal_error("Exception in ASGI application", error))
        else:
            if not self.response_complete and not self.disconnected:
                await self._fail(self._internal_error("the application returned without completing its response"))
        finally:
            self.detach()

    def detach(self) -> None:
        """Drops the reference to the connection, which refers to this request: otherwise both would wait for the garbage collector."""
        self.on_response = _do_nothing

    def _internal_error(self, text: str, error: BaseException | None = None) -> HTTPError:
        """Logs a fault of the application under the request's id. Returns the error for the client, which names this id."""
        identifier = self.scope.get("state", {}).get("request_id") or request_id_of(self.scope)  # type: ignore[arg-type]
        self.logger.error("%s (request %s)", text, identifier, exc_info=error)
        return HTTPError(500, "INTERNAL_SERVER_ERROR", internal_error_message(str(identifier)))

    async def _fail(self, error: HTTPError) -> None:
        self._start = None
        if self.response_started:
            self.transport.close()
            return
        headers, body = error_response(error)
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})  # type: ignore[typeddict-item]
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _do_nothing() -> None: ...


def _has_length(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Returns whether a response has a Content-Length. If not, it is streamed, and its head must be sent immediately."""
    for name, _ in headers:  # noqa: SIM110 - any() of a generator takes three times as long
        if name == b"content-length":
            return True
    return False
