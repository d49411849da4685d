"""Implements fair queueing for a limited number of slots: round-robin among groups, and among the flows of each group.

For sign-ins a group is a network and a flow is an account: a client that sends a thousand requests waits behind its own requests, and the
requests of others don't wait behind them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from itertools import cycle

from auth.errors import rate_limited

__all__ = ["LANES", "FairQueue"]

# The lanes' turns (weighted round-robin). An empty lane passes its turn to the first lane that is not empty. Every lane has turns, so that a flood
# in one lane never starves another.
_TURNS = (0, 0, 0, 1, 0, 0, 0, 2)
LANES = max(_TURNS) + 1


class FairQueue:
    """Grants `slots` at a time, at most one to each flow; up to `max_waiting` requests in each lane wait, each at most `timeout` seconds.

    While all lanes have waiters, lane 0 gets six of every eight slots, and lanes 1 and 2 get one each. When a lane is full, the newest waiter of
    its largest group is evicted. Waiters that are evicted or time out get RATE_LIMITED. Waiting holds only memory, and happens inside
    the context manager `parked()`, so that an admission limit can exclude waiters from its count. Not thread-safe: all calls on one event loop.
    """

    def __init__(
        self,
        slots: int,
        *,
        max_waiting: int = 1_000,
        timeout: float = 60.0,
        parked: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._parked = parked
        self._free = slots
        self._max_waiting = max_waiting
        self._timeout = timeout
        self._lanes = tuple(_Lane() for _ in range(LANES))
        self._busy: set[Hashable] = set()
        self._turns = cycle(_TURNS)

    @property
    def waiting(self) -> int:
        """The number of waiters."""
        return sum(lane.size for lane in self._lanes)

    @asynccontextmanager
    async def slot(self, flow: Hashable, group: Hashable, *, lane: int = LANES - 1) -> AsyncIterator[None]:
        """Holds a slot for the duration of the block."""
        await self.acquire(flow, group, lane=lane)
        try:
            yield
        finally:
            self.release(flow)

    async def acquire(self, flow: Hashable, group: Hashable, *, lane: int = LANES - 1) -> None:
        """Waits for a slot. If cancelled or refused (RATE_LIMITED), the caller holds none."""
        queue = self._lanes[lane]
        if queue.size >= self._max_waiting and not queue.evict(group):
            raise _too_many()
        waiter = asyncio.get_running_loop().create_future()
        queue.add(group, flow, waiter)
        self._dispatch()
        if waiter.done():
            return
        try:
            with self._parked():
                async with asyncio.timeout(self._timeout):
                    await waiter
        except BaseException as error:
            if waiter.cancelled():
                queue.remove(group, flow, waiter)
            elif waiter.exception() is None:
                self.release(flow)  # the slot was granted at the moment of the cancellation
            if isinstance(error, TimeoutError):
                raise _too_many() from None
            raise

    def release(self, flow: Hashable) -> None:
        """Releases the slot of a flow, and grants it to the next waiter."""
        self._busy.discard(flow)
        self._free += 1
        self._dispatch()

    def _dispatch(self) -> None:
        while self._free and self.waiting:
            turn = next(self._turns)
            taken = self._lanes[turn].pop(self._busy) or next(filter(None, (lane.pop(self._busy) for lane in self._lanes)), None)
            if taken is None:
                return  # the flows of all waiters have a slot already
            flow, waiter = taken
            self._free -= 1
            self._busy.add(flow)
            waiter.set_result(None)


class _Lane:
    """The waiters of one lane by group and flow, in order of arrival. The first group and its first flow are next."""

    def __init__(self) -> None:
        self.size = 0
        self._groups: dict[Hashable, dict[Hashable, deque[asyncio.Future[None]]]] = {}
        self._sizes: dict[Hashable, int] = {}

    def add(self, group: Hashable, flow: Hashable, waiter: "asyncio.Future[None]") -> None:
        self._groups.setdefault(group, {}).setdefault(flow, deque()).append(waiter)
        self._count(group, 1)

    def remove(self, group: Hashable, flow: Hashable, waiter: "asyncio.Future[None]") -> None:
        """Removes a waiter if it is still queued."""
        flows = self._groups.get(group, {})
        if waiter in flows.get(flow, ()):
            flows[flow].remove(waiter)
            if not flows[flow]:
                del flows[flow]
            self._count(group, -1)

    def pop(self, busy: set[Hashable]) -> tuple[Hashable, "asyncio.Future[None]"] | None:
        """Removes and returns the next waiter whose flow is not in `busy`; moves its flow and its group to the end."""
        while (found := self._next(busy)) is not None:
            group, flow = found
            flows = self._groups[group]
            waiter = flows[flow][0]
            flows[flow] = flows.pop(flow)
            self._groups[group] = self._groups.pop(group)
            self.remove(group, flow, waiter)
            if not waiter.cancelled():
                return flow, waiter
        return None

    def _next(self, busy: set[Hashable]) -> tuple[Hashable, Hashable] | None:
        return next(((group, flow) for group, flows in self._groups.items() for flow in flows if flow not in busy), None)

    def evict(self, newcomer: Hashable) -> bool:
        """Evicts the newest waiter of the largest group for a waiter of group `newcomer`. Returns False if that is the largest group."""
        largest = max(self._sizes, key=self._sizes.__getitem__)
        if self._sizes[largest] <= self._sizes.get(newcomer, 0) + 1:
            return False
        flows = self._groups[largest]
        flow = max(reversed(flows), key=lambda each: len(flows[each]))
        waiter = flows[flow][-1]
        self.remove(largest, flow, waiter)
        if not waiter.cancelled():
            waiter.set_exception(_too_many())
        return True

    def _count(self, group: Hashable, change: int) -> None:
        self.size += change
        self._sizes[group] = self._sizes.get(group, 0) + change
        if not self._sizes[group]:
            del self._sizes[group], self._groups[group]


def _too_many() -> Exception:
    return rate_limited("Too many people are signing in at this moment. Try again in a moment.", 1)
