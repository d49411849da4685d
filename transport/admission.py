"""Implements admission control: limits how many operations run at once in a worker, queues some of the others and refuses the rest.

A server that starts every request it receives answers all of them too late once it is overloaded. Here a limited number runs. Others wait in a
queue that holds only as many as can be served within half a second at the current rate, and any more are refused with 503 before any work is done
for them. The queue is served round-robin over the viewers, so that a viewer who sends more than the server can answer delays mostly themselves.
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
# While operations wait, the event loop's lag is measured at this interval. When the lag exceeds _MAX_LAG_SECONDS, fewer operations run: the event
# loop shares the processors with PostgreSQL, and running more would only delay everybody, health probes included.
_LAG_CHECK_SECONDS = 0.05
_MAX_LAG_SECONDS = 0.01
_FEWEST = 8
# Consecutive measurements without lag before the limit grows by one.
_CHECKS_BEFORE_GROWTH = 10
_LOG_INTERVAL = 10.0
# How many provisional flows are remembered with the flow that their viewer turned out to have.
_MAX_KNOWN = 10_000


class QueueFullError(Refusal):
    """Refuses an operation because the admission queue is full. Most of these are refused before they are read, and none is delayed."""


def overloaded() -> Refusal:
    """Returns the refusal of an operation for which the queue has no room."""
    return QueueFullError("OVERLOADED", "The server is overloaded. Try again in a moment.", retryAfter=1)


class Admission:
    """Lets up to `limit` operations run at once, and fewer while the event loop lags.

    Callers call `take()`, or `await wait(flow)` if it returned false, and always call `leave()` when the operation has ended. An operation waits at
    most `queue_seconds`. The queue's capacity follows the service rate between `shortest` and `longest`; when it is full, the newest operation of the
    flow with the most waiting operations is refused. `overloaded` makes the refusals. `unstarted()` returns how many requests have been let through
    and have not started yet (start_queue.py); they reserve places too. Not thread-safe: all calls on one event loop.
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
        unstarted: Callable[[], int] = lambda: 0,
    ) -> None:
        self._unstarted = unstarted
        self._overloaded = overloaded
        self.path = path
        self.request_line = b"POST %s HTTP/1.1\r\n" % path.encode()
        self.limit = self._highest = limit
        self._queue_seconds = queue_seconds
        self._bounds = (shortest, longest)
        # The capacity of the queue until the rate has been measured.
        self._room = min(longest, _FIRST_ROOM)
        self._queue: RoundRobinQueue[asyncio.Future[bool]] = RoundRobinQueue()
        # Requests let through in this iteration of the event loop: by flow, and in total.
        self._let_through: dict[Hashable, int] = {}
        self._all_let_through = 0
        # The flows of viewers whose operations waited, by the provisional flow of their requests.
        self._known: OrderedDict[Hashable, Hashable] = OrderedDict()
        self._interval = 0.0
        self._left_at = 0.0
        self._lag_check: asyncio.TimerHandle | None = None
        self._checks_without_lag = 0
        self._logged_at = float("-inf")
        self._refused = 0
        self.running = 0
        self.waiting = 0

    def take(self) -> bool:
        """Begins an operation and returns true, or returns false when `limit` operations are running."""
        if self.running >= self.limit:
            return False
        self.running += 1
        return True

    def refuses(self, flow: Hashable) -> bool:
        """Returns whether an operation of this flow would be refused now, and counts the refusal if so."""
        if self.waiting < self._room or self._queue.length(flow) + 1 < self._queue.longest:
            return False
        self._count_refusal()
        return True

    def refuses_early(self, provisional: Hashable) -> bool:
        """Does the same as `refuses`, for a request whose viewer is not known yet; see `flow_keys.provisional_flow`."""
        return self.refuses(self._known.get(provisional, provisional))

    def refuses_unread(self, provisional: Hashable) -> bool:
        """Does the same as `refuses_early`, for a request that has just arrived, and reserves a place in the queue for one that is let through.

        One iteration of the event loop reads everything that has arrived before any of it is processed. Without the reservation, all those requests
        would be let through when a single place is free, and would be authenticated and planned only to be refused. Reservations last until the
        iteration ends; by the next one, most requests that were let through are in the queue.
        """
        flow = self._known.get(provisional, provisional)
        own = self._let_through.get(flow, 0)
        # Those that have not started include the ones of this iteration.
        reserved = max(self._all_let_through, self._unstarted())
        if self.waiting + reserved >= self._room and self._queue.length(flow) + own + 1 >= self._queue.longest:
            self._count_refusal()
            return True
        if not self._all_let_through:
            asyncio.get_running_loop().call_soon(self._release_reservations)
        self._let_through[flow] = own + 1
        self._all_let_through += 1
        return False

    def _release_reservations(self) -> None:
        self._let_through.clear()
        self._all_let_through = 0

    async def wait(self, flow: Hashable, provisional: Hashable = None) -> None:
        """Waits in the queue and begins the operation. Raises an OVERLOADED refusal if the queue is full or the wait takes too long.

        `provisional` is the flow of the request before its viewer was known. It is remembered, so that the viewer's next request is counted to `flow`
        before it is authenticated.
        """
        self._remember(provisional, flow)
        if self.refuses(flow):
            raise self._overloaded()
        if self.waiting >= self._room:
            self._refuse(*self._queue.longest_flow())
        loop = asyncio.get_running_loop()
        if not self.waiting:
            self._left_at = loop.time()
        if self._lag_check is None:
            self._lag_check = loop.call_later(_LAG_CHECK_SECONDS, self._adapt, loop.time() + _LAG_CHECK_SECONDS)
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
                self.leave()  # it was admitted in the same iteration of the event loop
            raise
        finally:
            timer.cancel()
        if not admitted:
            raise self._overloaded()

    def _remember(self, provisional: Hashable, flow: Hashable) -> None:
        if provisional is None or provisional == flow:
            return
        self._known[provisional] = flow
        self._known.move_to_end(provisional)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)

    def leave(self) -> None:
        """Ends an operation and admits the next one from the queue."""
        if not self.waiting or self.running > self.limit:
            self.running -= 1
            return
        self._measure()
        self.running -= 1
        self._admit()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets another operation run while this one waits for something with a limit of its own, such as the queue for password hashing."""
        self.leave()
        try:
            yield
        finally:
            # It doesn't queue again: what has begun is finished first, and operations come back from another limit only a few at a time.
            self.running += 1

    def _admit(self) -> None:
        """Begins the next operation: the oldest one of the next flow in the round-robin order."""
        while self._queue:
            turn = self._queue.next()
            self.waiting -= 1
            if not turn.done():  # its client may have disconnected in this iteration of the event loop
                self.running += 1
                turn.set_result(True)
                return

    def _measure(self) -> None:
        """Updates the capacity of the queue from the time between two completed operations, while all places are taken."""
        now = asyncio.get_running_loop().time()
        # A stall doesn't reveal the service rate, so one interval counts at most this much. Operations that wait through a stall time out.
        passed = min(now - self._left_at, _TARGET_SECONDS)
        self._interval += (passed - self._interval) * _NEWEST if self._interval else passed
        self._left_at = now
        # The queue never gets smaller than `shortest`, however slow the server is: a few clients of a slow screen are no overload.
        shortest, longest = self._bounds
        self._room = max(shortest, min(longest, int(_TARGET_SECONDS / max(self._interval, 1e-6))))

    def _adapt(self, due: float) -> None:
        """Adapts the limit to the lag of the event loop: cuts it by a quarter when there is lag, and lets it grow one by one when there is none."""
        loop = asyncio.get_running_loop()
        if loop.time() - due > _MAX_LAG_SECONDS:
            self.limit = max(min(_FEWEST, self._highest), self.limit * 3 // 4)
            self._checks_without_lag = 0
        else:
            self._checks_without_lag += 1
            if self._checks_without_lag >= _CHECKS_BEFORE_GROWTH and self.limit < self._highest:
                self.limit += 1
                self._checks_without_lag = 0
                # More operations than the limit run if it has just fallen, or if paused ones have come back.
                if self.running < self.limit:
                    self._admit()
        idle = self.limit == self._highest and not self.waiting
        self._lag_check = None if idle else loop.call_later(_LAG_CHECK_SECONDS, self._adapt, loop.time() + _LAG_CHECK_SECONDS)

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
        # time.monotonic() instead of the loop's clock: get_running_loop() is a system call, and there can be thousands of refusals a second.
        now = time.monotonic()
        if now - self._logged_at >= _LOG_INTERVAL:
            _log.warning("overloaded: operations are refused", refused=self._refused, running=self.running, waiting=self.waiting)
            self._logged_at, self._refused = now, 0
