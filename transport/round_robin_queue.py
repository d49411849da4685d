"""Implements a queue that serves flows round-robin and knows the length of the longest flow at any time."""

from collections import Counter, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["RoundRobinQueue"]

T = TypeVar("T")


class RoundRobinQueue(Generic[T]):
    """Queues items by flow; `next()` takes the oldest item of the next flow.

    `longest` is the number of items of the flow with the most, 0 for an empty queue. All methods but `longest_flow()` take constant time in the number
    of flows; `remove()` is linear in the items of its flow.
    """

    def __init__(self) -> None:
        # By flow, in the order in which they are served next. None of the deques is empty.
        self._lines: dict[Hashable, deque[T]] = {}
        # By length: how many flows have that many items.
        self._lengths: Counter[int] = Counter()
        self.longest = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    def length(self, flow: Hashable) -> int:
        """Returns the number of items of this flow."""
        line = self._lines.get(flow)
        return 0 if line is None else len(line)

    def append(self, flow: Hashable, item: T) -> None:
        line = self._lines.setdefault(flow, deque())
        line.append(item)
        self._resized(len(line) - 1, len(line))

    def next(self) -> T:
        """Removes and returns the oldest item of the next flow, and moves the flow to the end. Raises StopIteration if the queue is empty."""
        flow = next(iter(self._lines))
        line = self._lines.pop(flow)
        item = line.popleft()
        self._resized(len(line) + 1, len(line))
        if line:
            self._lines[flow] = line
        return item

    def remove(self, flow: Hashable, item: T) -> bool:
        """Removes an item of a flow. Returns whether it was in the queue."""
        line = self._lines.get(flow)
        if line is None or item not in line:
            return False
        line.remove(item)
        self._resized(len(line) + 1, len(line))
        if not line:
            del self._lines[flow]
        return True

    def longest_flow(self) -> tuple[Hashable, T]:
        """Returns the flow with the most items, and its newest item. Raises ValueError if the queue is empty."""
        flow = max(self._lines, key=lambda each: len(self._lines[each]))
        return flow, self._lines[flow][-1]

    def _resized(self, before: int, after: int) -> None:
        lengths = self._lengths
        if before:
            lengths[before] -= 1
            if not lengths[before]:
                del lengths[before]
        if after:
            lengths[after] += 1
        # Lengths change by one: if no flow is as long as the longest was any more, this flow is now the longest.
        if after > self.longest or (before == self.longest and before not in lengths):
            self.longest = after
