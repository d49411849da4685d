"""Every request has an id: the client's when it sent a plain one, else one of ours. It is in the answer, the log and the audit."""

import re
from os import urandom

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from transport.headers import header

__all__ = ["RequestIdMiddleware"]

_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")


class RequestIdMiddleware:
    """Puts `request_id` into the scope's state and the answer's `X-Request-Id`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id") or ""
        request_id = given if _PLAIN.fullmatch(given) else urandom(16).hex()
        scope.setdefault("state", {})["request_id"] = request_id
        written = (b"x-request-id", request_id.encode("latin-1"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], written]
            await send(message)

        before = bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, answer)
        finally:
            reset_contextvars(**before)
