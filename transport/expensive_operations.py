"""Limits how many expensive operations run at once.

Operations above a cost wait for one of a few places, which bounds the database connections, processor time and memory that they take from small
operations. The queue is served round-robin over the flows. It is bounded in length and time: other operations are refused with OVERLOADED.
"""

from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from execution.errors import Refusal
from transport.admission import Admission

__all__ = ["ExpensiveOperations"]


class ExpensiveOperations:
    """Lets up to `places` operations with a cost above `above` run at once. Up to `longest` others wait, each at most `within` seconds.

    When the queue is full, the newest operation of the flow with the most waiting operations is refused.
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
        """Holds a place while the context lasts. Raises an OVERLOADED refusal if none becomes free in time, or too many operations wait for one."""
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
        """Gives the place to another operation while this one waits for something with a limit of its own; see `Admission.paused`."""
        if not self._holds.get():
            yield
            return
        with self._line.paused():
            yield


def _overloaded() -> Refusal:
    return Refusal("OVERLOADED", "Too many expensive operations are running or waiting. Try again in a moment.", retryAfter=2)
