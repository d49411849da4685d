"""Counts the requests in progress, except those to the health routes."""

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["InFlight", "InFlightMiddleware"]


class InFlight:
    """The number of requests in progress, shared by the middleware and the health checks."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class InFlightMiddleware:
    """ASGI middleware that increments `counter` while a request is in progress."""

    def __init__(self, app: ASGIApp, counter: InFlight) -> None:
        self._app = app
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/health" in scope["path"]:
            await self._app(scope, receive, send)
            return
        self._counter.count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._counter.count -= 1
