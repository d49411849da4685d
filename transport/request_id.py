"""Gives every request an id, which is in the response, the log and the audit: the client's own if it is well-formed, or else a new one.

The middleware also adds the headers that every response has, since it modifies each one anyway, and answers requests whose application raised.
"""

import re
from collections.abc import Awaitable, Callable
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from telemetry.logs import REQUEST_ID
from transport.headers import SECURITY_HEADERS, header

__all__ = ["RequestIdMiddleware", "request_id_of"]

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")


def request_id_of(scope: Scope) -> str:
    """Returns the id in the X-Request-Id header if it is well-formed, or else a new one."""
    given = header(scope, b"x-request-id") or ""
    # It must be unique but may be guessable: random numbers from the kernel, a system call each, took a quarter of the time of a refusal.
    return given if _PLAIN.fullmatch(given) else f"{getrandbits(128):032x}"


class RequestIdMiddleware:
    """Adds the request's id to the scope's state and the X-Request-Id header, and adds the security headers.

    `on_error(scope, error)` returns the response to a request whose application raised before its response began. Without it the exception
    propagates.
    """

    def __init__(self, app: ASGIApp, on_error: Callable[[Scope, Exception], Awaitable[ASGIApp]] | None = None) -> None:
        self._app = app
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        written = (b"x-request-id", request_id.encode("latin-1"))
        started = False

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                nonlocal started
                started = True
                message["headers"] = [*message["headers"], written, *SECURITY_HEADERS]
            await send(message)

        before = REQUEST_ID.set(request_id)
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if started or self._on_error is None:
                raise
            await (await self._on_error(scope, error))(scope, receive, answer)
        finally:
            REQUEST_ID.reset(before)
