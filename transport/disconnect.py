"""Cancels the processing of a request, and with it its SQL, when its client disconnects."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Scope

__all__ = ["ON_DISCONNECT", "DisconnectWatcher"]

# The key in a request's scope of the callback that the protocol calls when the client disconnects. ASGI's own way, awaiting `receive()`, would take
# one more task for each waiting request, just when there are most of them.
ON_DISCONNECT = "rollcall.on_disconnect"


class DisconnectWatcher:
    """Cancels the body of `async with DisconnectWatcher(scope) as watch` when the client disconnects, and suppresses the CancelledError.

    Call `begin()` once the request's body has been read. Until then `receive()` reports a disconnect, and nothing is cancelled.
    """

    __slots__ = ("_begun", "_left", "_scope", "_working")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._left = False
        self._begun = False
        self._working = asyncio.current_task()

    def begin(self) -> None:
        """Enables the cancellation. Raises ClientDisconnect if the client has already disconnected."""
        if self._left:
            raise ClientDisconnect
        self._begun = True

    async def __aenter__(self) -> Self:
        on_disconnect: Callable[[], None] = self._leave
        self._scope[ON_DISCONNECT] = on_disconnect
        return self

    async def __aexit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        del self._scope[ON_DISCONNECT]
        # Suppress the CancelledError only if this watcher caused it and nobody else cancelled the task as well.
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
