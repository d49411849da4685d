"""Fair queueing for work that is scarce: slots go round-robin to groups, and within a group round-robin to flows.

For sign-ins a group is a network and a flow an account: whoever sends a thousand requests waits behind their own, not others behind theirs.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from itertools import cycle

from auth.errors import rate_limited

__all__ = ["LANES", "FairQueue"]

# Whose turn it is: a lane that nobody waits in passes its turns to the first one in which somebody does. Each lane has some, so that a flood in one
# shuts nobody out of another.
_TURNS = (0, 0, 0, 1, 0, 0, 0, 2)
LANES = max(_TURNS) + 1


class FairQueue:
    """`slots` at work at a time, at most one of each flow; the others wait, `room` of each lane at most, for `patience` seconds at most.

    While all lanes wait, lane 0 gets six slots of eight, lanes 1 and 2 one each. When a lane is full, its largest group loses its newest. Who loses
    their place, or patience, gets RATE_LIMITED. Waiting holds nothing but memory, and happens inside `parked()`: whoever counts what is at work
    counts others meanwhile. Everything happens on one event loop.
    """

    def __init__(
        self,
        slots: int,
        *,
        room: int = 1_000,
        patience: float = 60.0,
        parked: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._parked = parked
        self._free = slots
        self._room = room
        self._patience = patience
        self._lanes = tuple(_Lane() for _ in range(LANES))
        self._busy: set[Hashable] = set()
        self._turns = cycle(_TURNS)

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return sum(lane.size for lane in self._lanes)

    @asynccontextmanager
    async def slot(self, flow: Hashable, group: Hashable, *, lane: int = LANES - 1) -> AsyncIterator[None]:
        """A slot while the block runs."""
        await self.enter(flow, group, lane=lane)
        try:
            yield
        finally:
            self.leave(flow)

    async def enter(self, flow: Hashable, group: Hashable, *, lane: int = LANES - 1) -> None:
        """Takes a slot, at once or when it is this one's turn. Whoever is cancelled, or refused, has taken none."""
        line = self._lanes[lane]
        if line.size >= self._room and not line.evict(group):
            raise _too_many()
        place = asyncio.get_running_loop().create_future()
        line.add(group, flow, place)
        self._dispatch()
        if place.done():
            return
        try:
            with self._parked():
                async with asyncio.timeout(self._patience):
                    await place
        except BaseException as error:
            if place.cancelled():
                line.remove(group, flow, place)
            elif place.exception() is None:
                self.leave(flow)  # it came in the very moment
            if isinstance(error, TimeoutError):
                raise _too_many() from None
            raise

    def leave(self, flow: Hashable) -> None:
        """Gives a slot back."""
        self._busy.discard(flow)
        self._free += 1
        self._dispatch()

    def _dispatch(self) -> None:
        while self._free and self.waiting:
            turn = next(self._turns)
            taken = self._lanes[turn].take(self._busy) or next(filter(None, (lane.take(self._busy) for lane in self._lanes)), None)
            if taken is None:
                return  # those that wait are of flows that are at work
            flow, place = taken
            self._free -= 1
            self._busy.add(flow)
            place.set_result(None)


class _Lane:
    """Who waits: by group, by flow, in the order of coming. The group and the flow in front are the next ones."""

    def __init__(self) -> None:
        self.size = 0
        self._groups: dict[Hashable, dict[Hashable, deque[asyncio.Future[None]]]] = {}
        self._sizes: dict[Hashable, int] = {}

    def add(self, group: Hashable, flow: Hashable, place: "asyncio.Future[None]") -> None:
        self._groups.setdefault(group, {}).setdefault(flow, deque()).append(place)
        self._count(group, 1)

    def remove(self, group: Hashable, flow: Hashable, place: "asyncio.Future[None]") -> None:
        """Takes one out, if it is still there."""
        flows = self._groups.get(group, {})
        if place in flows.get(flow, ()):
            flows[flow].remove(place)
            if not flows[flow]:
                del flows[flow]
            self._count(group, -1)

    def take(self, busy: set[Hashable]) -> tuple[Hashable, "asyncio.Future[None]"] | None:
        """The next one whose flow is not at work; its flow and its group go to the end of their lines."""
        while (found := self._next(busy)) is not None:
            group, flow = found
            flows = self._groups[group]
            place = flows[flow][0]
            flows[flow] = flows.pop(flow)
            self._groups[group] = self._groups.pop(group)
            self.remove(group, flow, place)
            if not place.cancelled():
                return flow, place
        return None

    def _next(self, busy: set[Hashable]) -> tuple[Hashable, Hashable] | None:
        return next(((group, flow) for group, flows in self._groups.items() for flow in flows if flow not in busy), None)

    def evict(self, newcomer: Hashable) -> bool:
        """Makes room for one of the group `newcomer`, at the cost of the largest group; False when that is its own."""
        largest = max(self._sizes, key=self._sizes.__getitem__)
        if self._sizes[largest] <= self._sizes.get(newcomer, 0) + 1:
            return False
        flows = self._groups[largest]
        flow = max(reversed(flows), key=lambda each: len(flows[each]))
        place = flows[flow][-1]
        self.remove(largest, flow, place)
        if not place.cancelled():
            place.set_exception(_too_many())
        return True

    def _count(self, group: Hashable, change: int) -> None:
        self.size += change
        self._sizes[group] = self._sizes.get(group, 0) + change
        if not self._sizes[group]:
            del self._sizes[group], self._groups[group]


def _too_many() -> Exception:
    return rate_limited("Too many people are signing in at this moment. Try again.", 1)
