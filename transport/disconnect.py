"""Clients that go away while their request is worked on: the work is cancelled, and with it the SQL.

Nearly every request is answered before anybody could have left, so nobody is looked out for in its first moments: that would be a task more for
each request. What takes longer is watched.
"""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

__all__ = ["DisconnectWatcher"]

# Seconds before a client that leaves is noticed.
_LOOKS_AFTER = 0.05


class DisconnectWatcher:
    """Work for a client: `async with DisconnectWatcher(receive) as watch`. It ends quietly, cancelled, when the client leaves.

    `begin()` once the body is read: from then on nothing else can come.
    """

    __slots__ = ("_left", "_looking", "_receive", "_timer", "_working")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = False
        self._working = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOKS_AFTER, self._look)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None and not self._left:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        # Cancelled by us, and by nobody else: there is nobody to tell.
        return self._left and isinstance(error, asyncio.CancelledError) and self._working is not None and self._working.uncancel() == 0

    def _look(self) -> None:
        self._looking = asyncio.create_task(self._until_left())

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        if self._working is not None:
            self._working.cancel()
