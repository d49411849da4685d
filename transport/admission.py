"""Admission control: how many operations run at once in a worker, who waits, and who is refused at once.

A server that starts whatever arrives does all of it too late as soon as more arrives than it can do. Here a fixed number runs; the others wait in
a queue that is no longer than can be served within half a second at the present rate, and what comes on top of that is refused with 503 before
anything was done for it. Viewers take turns in the queue, so that one who sends more than the server can answer delays mostly themselves.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from starlette.types import Receive, Scope, Send

from execution.errors import Refusal
from transport.flows import early_flow
from transport.headers import SECURITY_HEADERS, header
from transport.negotiation import GRAPHQL_RESPONSE_JSON, JSON, chosen_media_type
from transport.request_id import request_id_of
from transport.responses import refusal_response

__all__ = ["ADMISSION", "Admission", "QueueFullError", "early_refusal", "send_overloaded"]

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


def _overloaded() -> Refusal:
    return QueueFullError("OVERLOADED", "The server has more to do than it can. Try again in a moment.", retryAfter=1)


_REFUSALS = {media_type: refusal_response(_overloaded(), media_type) for media_type in (JSON, GRAPHQL_RESPONSE_JSON)}
# Made once: a refusal must cost next to nothing.
_BYTES = {
    media_type: b"".join(b"%s: %s\r\n" % each for each in (*answer.raw_headers, *SECURITY_HEADERS)) + b"\r\n" + bytes(answer.body)
    for media_type, answer in _REFUSALS.items()
}


async def send_overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 503 without a look at the request's body."""
    await _REFUSALS[chosen_media_type(header(scope, b"accept")) or JSON](scope, receive, send)


def early_refusal(admission: "Admission", scope: Any) -> bytes | None:
    """The end of a whole answer, after a status line and the server's own headers, for an operation that would be refused; None to go on.

    For the protocol: nine requests of ten are refused while five times as many arrive as can be answered, and without middleware, a task and an
    application that costs half. What a browser sends from another origin goes on, since the answer needs more headers.
    """
    if scope["path"] != admission.path or scope["method"] != "POST" or header(scope, b"origin") is not None:
        return None
    if not admission.refuses_early(early_flow(scope)):
        return None
    return b"x-request-id: " + request_id_of(scope).encode() + b"\r\n" + _BYTES[chosen_media_type(header(scope, b"accept")) or JSON]


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
        overloaded: Callable[[], Refusal] = _overloaded,
    ) -> None:
        self._overloaded = overloaded
        self.path = path
        self.request_line = b"POST %s HTTP/1.1\r\n" % path.encode()
        self.limit = self._highest = limit
        self._queue_seconds = queue_seconds
        self._bounds = (shortest, longest)
        # Nothing is known of the rate yet.
        self._room = min(longest, _FIRST_ROOM)
        # The lines of the flows, in the order of their turns; none is empty.
        self._lines: dict[Hashable, deque[asyncio.Future[bool]]] = {}
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
        if self.waiting < self._room or len(self._lines.get(flow, ())) + 1 < max(map(len, self._lines.values())):
            return False
        self._count_refusal()
        return True

    def refuses_early(self, early: Hashable) -> bool:
        """Like `refuses`, for a request whose viewer is not known yet."""
        return self.refuses(self._known.get(early, early))

    async def wait(self, flow: Hashable, early: Hashable = None) -> None:
        """Begins an operation when it is its turn. Raises an OVERLOADED refusal when that takes too long.

        `early`: what the flow was before its viewer was known, so that the next request that begins like this one is taken for one of the flow.
        """
        self._remember(early, flow)
        if self.refuses(flow):
            raise self._overloaded()
        if self.waiting >= self._room:
            largest = max(self._lines, key=lambda each: len(self._lines[each]))
            self._refuse(largest, self._lines[largest][-1])
        loop = asyncio.get_running_loop()
        if not self.waiting:
            self._left_at = loop.time()
        if self._look is None:
            self._look = loop.call_later(_LOOKS_EVERY, self._adapt, loop.time() + _LOOKS_EVERY)
        turn: asyncio.Future[bool] = loop.create_future()
        self._lines.setdefault(flow, deque()).append(turn)
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
        while self._lines:
            flow = next(iter(self._lines))
            line = self._lines.pop(flow)
            turn = line.popleft()
            self.waiting -= 1
            if line:
                self._lines[flow] = line
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
        line = self._lines.get(flow, ())
        if turn in line:
            line.remove(turn)  # type: ignore[union-attr]  # it is not the empty tuple
            self.waiting -= 1
            if not line:
                del self._lines[flow]

    def _refuse(self, flow: Hashable, turn: "asyncio.Future[bool]") -> None:
        self._remove(flow, turn)
        if not turn.done():
            turn.set_result(False)
            self._count_refusal()

    def _count_refusal(self) -> None:
        self._refused += 1
        now = asyncio.get_running_loop().time()
        if now - self._logged_at >= _LOGGED_EVERY:
            _log.warning("overloaded: operations are refused", refused=self._refused, running=self.running, waiting=self.waiting)
            self._logged_at, self._refused = now, 0
