"""How many requests are being answered, the probes' own left out."""

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["InFlight", "InFlightMiddleware"]


class InFlight:
    """A count, shared by the middleware and the checks."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class InFlightMiddleware:
    """Counts requests into `counter` while they are answered."""

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
