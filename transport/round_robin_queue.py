"""A queue in which flows take turns, and in which it costs nothing to ask how long the longest flow's line is."""

from collections import Counter, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["RoundRobinQueue"]

T = TypeVar("T")


class RoundRobinQueue(Generic[T]):
    """Items in a line for each flow: `next()` takes the oldest of the flow whose turn it is.

    `longest` is the length of the longest line, 0 when nothing waits. Everything but `longest_flow()` takes the same time however many flows wait.
    """

    def __init__(self) -> None:
        # In the order of their turns; none is empty.
        self._lines: dict[Hashable, deque[T]] = {}
        # How many lines have a length.
        self._lengths: Counter[int] = Counter()
        self.longest = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    def length(self, flow: Hashable) -> int:
        """The number of items that wait in this flow's line."""
        line = self._lines.get(flow)
        return 0 if line is None else len(line)

    def append(self, flow: Hashable, item: T) -> None:
        line = self._lines.setdefault(flow, deque())
        line.append(item)
        self._resized(len(line) - 1, len(line))

    def next(self) -> T:
        """Takes the oldest item of the flow whose turn it is; its next one waits for all other flows. Raises StopIteration when nothing waits."""
        flow = next(iter(self._lines))
        line = self._lines.pop(flow)
        item = line.popleft()
        self._resized(len(line) + 1, len(line))
        if line:
            self._lines[flow] = line
        return item

    def remove(self, flow: Hashable, item: T) -> bool:
        """Takes an item out of its flow's line; returns whether it was there."""
        line = self._lines.get(flow)
        if line is None or item not in line:
            return False
        line.remove(item)
        self._resized(len(line) + 1, len(line))
        if not line:
            del self._lines[flow]
        return True

    def longest_flow(self) -> tuple[Hashable, T]:
        """Returns the flow with the longest line, and the item that came last into it. Raises ValueError when nothing waits."""
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
        # Lengths change by one: when no line is as long as the longest was, this one is now the longest.
        if after > self.longest or (before == self.longest and before not in lengths):
            self.longest = after
