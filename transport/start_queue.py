"""Starts requests a few at a time while many run, so that a burst of them does not hold up what is short: accepting connections, probes."""

import asyncio
from collections import deque
from collections.abc import Callable

from transport.request_cycle import RequestCycle

__all__ = ["MANY_RUNNING", "StartQueue"]

# Below this number of running requests each starts at once. That is more than any ordinary load has.
MANY_RUNNING = 64
# Requests that start in one iteration of the event loop while many run. The first part of one takes up to 0.3 ms.
_AT_ONCE = 16


class StartQueue:
    """The requests of a process that have arrived and not started, in order of arrival. `len()` is their number.

    An iteration of the event loop runs everything that has become ready before it: 300 requests that arrive together would hold it for 60 ms.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[RequestCycle, Callable[[RequestCycle], None]]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, cycle: RequestCycle, start: Callable[[RequestCycle], None]) -> None:
        """Has a request started by `start(cycle)` when it is its turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._start_some)
        self._waiting.append((cycle, start))

    def _start_some(self) -> None:
        """Starts the requests whose turn it is. One whose client has left meanwhile is dropped."""
        waiting = self._waiting
        for _ in range(min(_AT_ONCE, len(waiting))):
            cycle, start = waiting.popleft()
            if cycle.disconnected:
                cycle.detach()
            else:
                start(cycle)
        if waiting:
            asyncio.get_running_loop().call_soon(self._start_some)
