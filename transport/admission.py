"""Admission control: how many operations run at once in a worker, who waits, and who is refused at once.

A server that starts whatever arrives does all of it too late as soon as more arrives than it can do. Here a fixed number runs; the others wait in
a queue that is no longer than can be served within half a second at the present rate, and what comes on top of that is refused with 503 before
anything was done for it. Viewers take turns in the queue, so that one who sends more than the server can answer delays mostly themselves.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import structlog

from execution.errors import Refusal
from transport.round_robin_queue import RoundRobinQueue

__all__ = ["ADMISSION", "Admission", "QueueFullError", "overloaded"]

_log = structlog.get_logger("rollcall.admission")

# Where the application's lifespan puts the `Admission` of the process.
ADMISSION = "admission"

# The weight of the newest interval between two completed operations in their moving average.
_NEWEST = 1 / 32
# The queue holds what can be served in this time. It is what operations wait while the server is overloaded.
_TARGET_SECONDS = 0.5
_FIRST_ROOM = 256
# While operations wait, the event loop is looked at this often. When it comes late by more than the second, fewer operations run: it shares the
# processors with PostgreSQL, and all that more of them do is to make everybody wait, probes too.
_LOOKS_EVERY = 0.05
_LATE_SECONDS = 0.01
_FEWEST = 8
# Looks in a row that find it in time before one operation more runs.
_IN_TIME = 10
_LOGGED_EVERY = 10.0
# Requests whose viewer is not known yet of which the flow is remembered.
_MOST_KNOWN = 10_000


class QueueFullError(Refusal):
    """Of an operation that the queue of all operations has no room for: most of these are refused before they are read, and all at once."""


def overloaded() -> Refusal:
    """Makes the refusal of an operation that the queue has no room for."""
    return QueueFullError("OVERLOADED", "The server has more to do than it can. Try again in a moment.", retryAfter=1)


class Admission:
    """Lets `limit` operations run at once, or fewer while they hold up the event loop. `take()`, or else `await wait(flow)`, then `leave()` in the end.

    An operation waits at most `queue_seconds`. The queue holds from `shortest` to `longest` of them, by the rate at which they are served; when more
    want to wait, the flow with the most of them gives way. `overloaded` makes the refusals.
    """

    def __init__(
        self,
        limit: int,
        queue_seconds: float,
        *,
        path: str = "/graphql",
        shortest: int = 64,
        longest: int = 1_000,
        overloaded: Callable[[], Refusal] = overloaded,
    ) -> None:
        self._overloaded = overloaded
        self.path = path
        self.request_line = b"POST %s HTTP/1.1\r\n" % path.encode()
        self.limit = self._highest = limit
        self._queue_seconds = queue_seconds
        self._bounds = (shortest, longest)
        # Nothing is known of the rate yet.
        self._room = min(longest, _FIRST_ROOM)
        self._queue: RoundRobinQueue[asyncio.Future[bool]] = RoundRobinQueue()
        # Requests of each flow that were let through in this turn of the event loop, and all of them.
        self._let_through: dict[Hashable, int] = {}
        self._all_let_through = 0
        # The flows of those that waited, by what is known of a request before its viewer is.
        self._known: OrderedDict[Hashable, Hashable] = OrderedDict()
        self._interval = 0.0
        self._left_at = 0.0
        self._look: asyncio.TimerHandle | None = None
        self._in_time = 0
        self._logged_at = float("-inf")
        self._refused = 0
        self.running = 0
        self.waiting = 0

    def take(self) -> bool:
        """Begins an operation if there is room for it. Somebody waits only while there is none."""
        if self.running >= self.limit:
            return False
        self.running += 1
        return True

    def refuses(self, flow: Hashable) -> bool:
        """Whether an operation of this flow would be refused now. Counts it as refused then."""
        if self.waiting < self._room or self._queue.length(flow) + 1 < self._queue.longest:
            return False
        self._count_refusal()
        return True

    def refuses_early(self, early: Hashable) -> bool:
        """Like `refuses`, for a request whose viewer is not known yet."""
        return self.refuses(self._known.get(early, early))

    def refuses_unread(self, early: Hashable) -> bool:
        """Like `refuses_early`, for a request that has just arrived. One that is let through has a place until the event loop's next turn.

        A turn reads everything that has arrived before any of it is worked on. When it finds one place free, one request is let through, and the
        rest is not authenticated and planned to be refused after all. By the next turn, most of those that were let through wait.
        """
        flow = self._known.get(early, early)
        own = self._let_through.get(flow, 0)
        if self.waiting + self._all_let_through >= self._room and self._queue.length(flow) + own + 1 >= self._queue.longest:
            self._count_refusal()
            return True
        if not self._all_let_through:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._let_through[flow] = own + 1
        self._all_let_through += 1
        return False

    def _end_turn(self) -> None:
        self._let_through.clear()
        self._all_let_through = 0

    async def wait(self, flow: Hashable, early: Hashable = None) -> None:
        """Begins an operation when it is its turn. Raises an OVERLOADED refusal when that takes too long.

        `early`: what the flow was before its viewer was known, so that the next request that begins like this one is taken for one of the flow.
        """
        self._remember(early, flow)
        if self.refuses(flow):
            raise self._overloaded()
        if self.waiting >= self._room:
            self._refuse(*self._queue.longest_flow())
        loop = asyncio.get_running_loop()
        if not self.waiting:
            self._left_at = loop.time()
        if self._look is None:
            self._look = loop.call_later(_LOOKS_EVERY, self._adapt, loop.time() + _LOOKS_EVERY)
        turn: asyncio.Future[bool] = loop.create_future()
        self._queue.append(flow, turn)
        self.waiting += 1
        timer = loop.call_later(self._queue_seconds, self._refuse, flow, turn)
        try:
            admitted = await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._remove(flow, turn)
            elif turn.result():
                self.leave()  # its turn came in the very moment
            raise
        finally:
            timer.cancel()
        if not admitted:
            raise self._overloaded()

    def _remember(self, early: Hashable, flow: Hashable) -> None:
        if early is None or early == flow:
            return
        self._known[early] = flow
        self._known.move_to_end(early)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def leave(self) -> None:
        """Ends an operation; the next one begins."""
        if not self.waiting or self.running > self.limit:
            self.running -= 1
            return
        self._measure()
        self.running -= 1
        self._admit()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets another operation run while this one waits for something that is bounded by itself, such as its turn at hashing a password."""
        self.leave()
        try:
            yield
        finally:
            # Not a second wait: what has been begun is finished, and what waits elsewhere comes back a few at a time.
            self.running += 1

    def _admit(self) -> None:
        """Begins the next operation: the oldest of the flow whose turn it is."""
        while self._queue:
            turn = self._queue.next()
            self.waiting -= 1
            if not turn.done():  # its client may have left a moment ago
                self.running += 1
                turn.set_result(True)
                return

    def _measure(self) -> None:
        """Learns from the time between two ends, all places being taken, how many can wait."""
        now = asyncio.get_running_loop().time()
        # A standstill says nothing about the rate, and those who wait through one are refused by their time.
        passed = min(now - self._left_at, _TARGET_SECONDS)
        self._interval += (passed - self._interval) * _NEWEST if self._interval else passed
        self._left_at = now
        # However slow the server is, the shortest queue remains: a few clients of a slow screen are no overload.
        shortest, longest = self._bounds
        self._room = max(shortest, min(longest, int(_TARGET_SECONDS / max(self._interval, 1e-6))))

    def _adapt(self, due: float) -> None:
        """Fits the number of running operations to how late the event loop is."""
        loop = asyncio.get_running_loop()
        if loop.time() - due > _LATE_SECONDS:
            self.limit = max(min(_FEWEST, self._highest), self.limit * 3 // 4)
            self._in_time = 0
        else:
            self._in_time += 1
            if self._in_time >= _IN_TIME and self.limit < self._highest:
                self.limit += 1
                self._in_time = 0
                # More than the limit run when it fell a moment ago, or when some came back that had been paused.
                if self.running < self.limit:
                    self._admit()
        idle = self.limit == self._highest and not self.waiting
        self._look = None if idle else loop.call_later(_LOOKS_EVERY, self._adapt, loop.time() + _LOOKS_EVERY)

    def _remove(self, flow: Hashable, turn: "asyncio.Future[bool]") -> None:
        if self._queue.remove(flow, turn):
            self.waiting -= 1

    def _refuse(self, flow: Hashable, turn: "asyncio.Future[bool]") -> None:
        self._remove(flow, turn)
        if not turn.done():
            turn.set_result(False)
            self._count_refusal()

    def _count_refusal(self) -> None:
        self._refused += 1
        # Not by the running loop: finding it is a system call, and there are thousands of refusals a second.
        now = time.monotonic()
        if now - self._logged_at >= _LOGGED_EVERY:
            _log.warning("overloaded: operations are refused", refused=self._refused, running=self.running, waiting=self.waiting)
            self._logged_at, self._refused = now, 0
