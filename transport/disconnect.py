"""Clients that go away while their request is worked on: the work is cancelled, and with it the SQL."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Scope

__all__ = ["ON_DISCONNECT", "DisconnectWatcher"]

# Where in a request's scope the protocol finds what it calls when the client has gone away. ASGI's own way is a `receive()` that ends then: a task
# more for each request that waits, just when there are most of them.
ON_DISCONNECT = "rollcall.on_disconnect"


class DisconnectWatcher:
    """Work for a client: `async with DisconnectWatcher(scope) as watch`. It ends quietly, cancelled, when the client leaves.

    `begin()` once the body is read: until then, `receive()` says that the client has left.
    """

    __slots__ = ("_begun", "_left", "_scope", "_working")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._left = False
        self._begun = False
        self._working = asyncio.current_task()

    def begin(self) -> None:
        """Has the work cancelled from here on. Raises ClientDisconnect when the client has left already."""
        if self._left:
            raise ClientDisconnect
        self._begun = True

    async def __aenter__(self) -> Self:
        on_disconnect: Callable[[], None] = self._leave
        self._scope[ON_DISCONNECT] = on_disconnect
        return self

    async def __aexit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        del self._scope[ON_DISCONNECT]
        # Cancelled by us, and by nobody else: there is nobody to tell.
        return (
            self._left
            and self._begun
            and isinstance(error, asyncio.CancelledError)
            and self._working is not None
            and self._working.uncancel() == 0
        )

    def _leave(self) -> None:
        if self._left:
            return
        self._left = True
        if self._begun and self._working is not None:
            self._working.cancel()
