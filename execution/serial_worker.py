"""Work that takes long and waits for nothing, such as validating a document: done in a thread, so that the event loop goes on meanwhile.

Threads share the interpreter: while one computes, the loop waits up to a switch interval each time that it wakes up (`SWITCH_SECONDS`), and
two of them at once would make it wait for both. So there is one thread, and a line in front of it.
"""

import asyncio
import gc
import heapq
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from execution.errors import Refusal

__all__ = ["SWITCH_SECONDS", "SerialWorker"]

T = TypeVar("T")

# For sys.setswitchinterval. Python's own 5 ms let a request that wakes the loop four times wait 20 ms beside a thread that computes.
SWITCH_SECONDS = 0.001
# Collections of the youngest objects since the last one of those that are a little older; a large document is worth some.
_MOST_YOUNG = 3


@dataclass(order=True, slots=True)
class _Job:
    due: tuple[float, int]
    key: Hashable = field(compare=False)
    work: Callable[[], Any] = field(compare=False)
    done: "asyncio.Future[Any]" = field(compare=False)
    waiters: int = field(default=0, compare=False)


def _tidily(work: Callable[[], Any]) -> Any:
    """Does a piece of work, and collects its garbage while it is young.

    The garbage collector stops every thread, and takes the longer the more it has to look through: after a dozen documents 0.2 s, after each 5 ms.
    """
    try:
        return work()
    finally:
        if gc.get_count()[1] >= _MOST_YOUNG:
            gc.collect(1)


class SerialWorker:
    """Runs functions in one thread, one after the other, the earliest deadline first.

    A job's deadline is when it came plus its `patience` in seconds: light work gets little, so that it overtakes what is heavy, and heavy work is
    never overtaken for ever. Work under one key runs once for all that wait for it. `max_waiting` jobs may stand in line, those of low priority
    may take up half of it; the next is refused with OVERLOADED.
    """

    def __init__(self, *, max_waiting: int = 64, name: str = "worker") -> None:
        self._max_waiting = max_waiting
        self._name = name
        self._line: list[_Job] = []
        self._jobs: dict[Hashable, _Job] = {}
        self._numbers = count()
        self._running: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def waiting(self) -> int:
        """The number of jobs in line."""
        return len(self._line)

    async def run(self, key: Hashable, work: Callable[[], T], *, patience: float = 0.0, low_priority: bool = False) -> T:
        """Returns what the work returns, or raises what it raises. Raises an OVERLOADED refusal when the line is full."""
        job = self._jobs.get(key)
        if job is None:
            job = self._enqueue(key, work, patience, low_priority=low_priority)
        job.waiters += 1
        try:
            result: T = await asyncio.shield(job.done)
        except asyncio.CancelledError:
            if job.waiters == 1 and job in self._line:
                # Nobody waits for it any more, and it has not begun.
                self._line.remove(job)
                heapq.heapify(self._line)
                self._forget(job)
            raise
        finally:
            job.waiters -= 1
        return result

    def close(self) -> None:
        """Ends the thread, once it has finished what it is at. Another `run` begins a new one."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)

    def _enqueue(self, key: Hashable, work: Callable[[], Any], patience: float, *, low_priority: bool) -> _Job:
        loop = asyncio.get_running_loop()
        if self._running is not None and self._running.get_loop() is not loop:
            # Its loop has ended, and so has everybody who waited there.
            self._line, self._jobs, self._running = [], {}, None
        if len(self._line) >= (self._max_waiting // 2 if low_priority else self._max_waiting):
            raise Refusal("OVERLOADED", "Too many new documents at once: try again in a second.", retryAfter=1)
        job = _Job((loop.time() + patience, next(self._numbers)), key, work, loop.create_future())
        self._jobs[key] = job
        heapq.heappush(self._line, job)
        if self._running is None:
            self._running = loop.create_task(self._work_off())
        return job

    async def _work_off(self) -> None:
        """Runs what is in line until nothing is."""
        loop = asyncio.get_running_loop()
        try:
            while self._line:
                job = heapq.heappop(self._line)
                if self._thread is None:
                    self._thread = ThreadPoolExecutor(1, self._name)
                try:
                    result = await loop.run_in_executor(self._thread, _tidily, job.work)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait for it
                    if not job.done.done():
                        job.done.set_exception(error)
                        # Those who waited may all have left.
                        job.done.exception()
                else:
                    if not job.done.done():
                        job.done.set_result(result)
                finally:
                    self._forget(job)
        finally:
            self._running = None

    def _forget(self, job: _Job) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
