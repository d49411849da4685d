"""Taking turns at so many things, in the order in which they were asked for."""

import asyncio
from collections import deque

__all__ = ["FifoSemaphore"]


class FifoSemaphore:
    """So many turns. Like asyncio's semaphore, but that taking one that is free is a plain call: each statement does it."""

    __slots__ = ("_free", "_line")

    def __init__(self, number: int) -> None:
        self._free = number
        self._line: deque[asyncio.Future[None]] = deque()

    def try_acquire(self) -> bool:
        """Takes one if one is free; none is while anybody waits."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    async def acquire(self) -> None:
        """Takes one when it is one's turn, perhaps at once. Who is cancelled meanwhile has taken none."""
        if self.try_acquire():
            return
        mine = asyncio.get_running_loop().create_future()
        self._line.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.cancelled():
                self._line.remove(mine)
            else:
                self.release()  # it came in the very moment
            raise

    def release(self) -> None:
        """Gives one to who has waited longest, or lets it lie."""
        for first in self._line:
            if not first.done():
                self._line.remove(first)
                first.set_result(None)
                return
        self._free += 1
