"""A bounded share of the server for expensive operations.

Operations above a cost wait for one of a few places, so that what they hold of connections, processor and memory is bounded and small operations
find the rest free. Flows take turns. The line is bounded in length and time; beyond it an operation is refused with OVERLOADED.
"""

from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from execution.errors import Refusal
from transport.admission import Admission

__all__ = ["ExpensiveOperations"]


class ExpensiveOperations:
    """Lets `places` operations above a cost of `above` run at once. Others wait at most `within` seconds, `longest` of them at most.

    When more want to wait, the flow with the most of them gives way.
    """

    def __init__(self, places: int, *, above: int, within: float, longest: int = 50) -> None:
        self.above = above
        self._line = Admission(places, within, shortest=longest, longest=longest, overloaded=_overloaded)
        self._holds: ContextVar[bool] = ContextVar("holds an expensive place", default=False)

    @property
    def running(self) -> int:
        return self._line.running

    @property
    def waiting(self) -> int:
        return self._line.waiting

    @asynccontextmanager
    async def place(self, flow: Hashable = None) -> AsyncIterator[None]:
        """Holds a place. Raises an OVERLOADED refusal when none becomes free in time, or too many operations wait for one."""
        if not self._line.take():
            await self._line.wait(flow)
        self._holds.set(True)
        try:
            yield
        finally:
            self._holds.set(False)
            self._line.leave()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets another operation have the place while this one waits for something that is bounded by itself; see `Admission.paused`."""
        if not self._holds.get():
            yield
            return
        with self._line.paused():
            yield


def _overloaded() -> Refusal:
    return Refusal("OVERLOADED", "Too many expensive operations are running or waiting. Try again in a moment.", retryAfter=2)
