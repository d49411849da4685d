"""Provides a semaphore that is granted in the order of requests."""

import asyncio
from collections import deque

__all__ = ["FifoSemaphore"]


class FifoSemaphore:
    """A semaphore with `number` permits. Unlike asyncio.Semaphore, acquiring a free permit is a plain call: every statement does it."""

    __slots__ = ("_free", "_waiters")

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiters: deque[asyncio.Future[None]] = deque()

    def try_acquire(self) -> bool:
        """Acquires a permit if one is free, and returns whether it did. None is free while others wait."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    async def acquire(self) -> None:
        """Waits for a permit. If cancelled, the caller holds none."""
        if self.try_acquire():
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiters.remove(waiter)
            else:
                self.release()  # the permit was granted at the moment of the cancellation
            raise

    def release(self) -> None:
        """Wakes the longest waiter, or returns the permit."""
        for first in self._waiters:
            if not first.done():
                self._waiters.remove(first)
                first.set_result(None)
                return
        self._free += 1
