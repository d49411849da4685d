"""A bounded share of the server for expensive operations.

Operations above a cost wait for one of a few places, first come first served, so that what they hold of connections, processor and memory is
bounded and small operations find the rest free. The line is bounded in length and time; beyond it an operation is refused with OVERLOADED.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from execution.errors import Refusal

__all__ = ["ExpensiveOperations"]


class ExpensiveOperations:
    """Lets `places` operations above a cost of `above` run at once. Others wait at most `within` seconds, `longest` of them at most."""

    def __init__(self, places: int, *, above: int, within: float, longest: int = 50) -> None:
        self.above = above
        self._within = within
        self._longest = longest
        self._places = asyncio.Semaphore(places)
        self.waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Holds a place. Raises an OVERLOADED refusal when none becomes free in time, or too many operations wait for one."""
        await self._take()
        try:
            yield
        finally:
            self._places.release()

    async def _take(self) -> None:
        if self._places.locked() and self.waiting >= self._longest:
            raise _overloaded()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._within):
                await self._places.acquire()
        except TimeoutError:
            raise _overloaded() from None
        finally:
            self.waiting -= 1


def _overloaded() -> Refusal:
    return Refusal("OVERLOADED", "Too many expensive operations are running or waiting. Try again in a moment.", retryAfter=2)
