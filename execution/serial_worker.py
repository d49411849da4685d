"""Runs long computations, such as validating a document, one after the other in a thread, so that the event loop goes on.

Threads share the interpreter: while one computes, the loop waits up to a switch interval (`SWITCH_SECONDS`) each time it wakes up, and with two
of them it would wait for both. So there is one thread, with a queue.
"""

import asyncio
import gc
import heapq
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar, cast

from execution.errors import Refusal

__all__ = ["SWITCH_SECONDS", "SerialWorker"]

T = TypeVar("T")

# For sys.setswitchinterval. Python's own 5 ms let a request that wakes the loop four times wait 20 ms beside a thread that computes.
SWITCH_SECONDS = 0.001
# Collections of the youngest objects since the last one of those that are a little older; a large document is worth some.
_MOST_YOUNG = 3


# A flow, with whether it is one of low priority.
_Flow = tuple[bool, Hashable]


@dataclass(order=True, slots=True)
class _Job:
    due: tuple[float, int]
    patience: float = field(compare=False)
    key: Hashable = field(compare=False)
    work: Callable[[], object] = field(compare=False)
    done: "asyncio.Future[object]" = field(compare=False)
    flow: _Flow = field(compare=False)
    waiters: int = field(default=0, compare=False)


def _run_and_collect(work: Callable[[], object]) -> object:
    """Does a piece of work, and collects its garbage while it is young.

    The garbage collector stops every thread, for longer the more it has to look through: 0.2 s after a dozen documents, 5 ms after each one.
    """
    try:
        return work()
    finally:
        if gc.get_count()[1] >= _MOST_YOUNG:
            gc.collect(1)


class SerialWorker:
    """Runs functions in one thread, one after the other, the earliest deadline first.

    A job's deadline is its time of arrival plus its `patience` in seconds: light work gets little, so that it overtakes heavy work, and heavy work
    is not overtaken for ever. Flows take turns: once a flow is served, its other jobs count as having arrived then. Work under one key runs once
    for all that wait for it.

    `max_waiting` jobs may wait, and beside them `max_waiting_low` of low priority. If these places are taken, the newest job of the flow with the
    most of them is refused with OVERLOADED.
    """

    def __init__(self, *, max_waiting: int = 64, max_waiting_low: int = 512, name: str = "worker") -> None:
        self._room = {False: max_waiting, True: max_waiting_low}
        self._name = name
        # The queues of the flows, each a heap; none is empty.
        self._lines: dict[_Flow, list[_Job]] = {}
        self._sizes = {False: 0, True: 0}
        # When each flow in the queue was served last.
        self._served: dict[_Flow, float] = {}
        self._jobs: dict[Hashable, _Job] = {}
        self._numbers = count()
        self._running: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def waiting(self) -> int:
        """The number of jobs in the queue."""
        return sum(self._sizes.values())

    async def run(
        self, key: Hashable, work: Callable[[], T], *, flow: Hashable = None, patience: float = 0.0, low_priority: bool = False
    ) -> T:
        """Returns what the work returns, or raises what it raises. Raises an OVERLOADED refusal if the queue is full."""
        place = (low_priority, flow)
        job = self._jobs.get(key)
        if job is None:
            job = self._enqueue(key, work, patience, place)
        else:
            self._share(job, place)
        job.waiters += 1
        try:
            result = cast("T", await asyncio.shield(job.done))
        except asyncio.CancelledError:
            if job.waiters == 1 and self._leave_line(job):
                # Nobody waits for it any more, and it has not started.
                self._forget(job)
            raise
        finally:
            job.waiters -= 1
        return result

    def close(self) -> None:
        """Ends the thread after its current job. Another `run` starts a new one."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False, cancel_futures=True)

    def _enqueue(self, key: Hashable, work: Callable[[], object], patience: float, flow: _Flow) -> _Job:
        loop = asyncio.get_running_loop()
        if self._running is not None and self._running.get_loop() is not loop:
            # Its loop has ended, and with it everybody who waited there.
            self._lines, self._sizes, self._served, self._jobs, self._running = {}, {False: 0, True: 0}, {}, {}, None
        self._make_room(flow)
        job = _Job((loop.time() + patience, next(self._numbers)), patience, key, work, loop.create_future(), flow)
        self._jobs[key] = job
        self._enter_line(job)
        if self._running is None:
            self._running = loop.create_task(self._work_off())
        return job

    def _make_room(self, flow: _Flow) -> None:
        """Refuses the newest job of the flow with the most jobs if no place is free. Raises if that flow is this one."""
        low = flow[0]
        if self._sizes[low] < self._room[low]:
            return
        largest = max((each for each in self._lines if each[0] is low), key=lambda each: len(self._lines[each]))
        if len(self._lines[largest]) <= len(self._lines.get(flow, ())) + 1:
            raise _overloaded()
        newest = max(self._lines[largest], key=lambda job: job.due[1])
        self._leave_line(newest)
        self._forget(newest)
        newest.done.set_exception(_overloaded())
        # Those who waited may all have left.
        newest.done.exception()

    def _share(self, job: _Job, flow: _Flow) -> None:
        """Counts a shared job for the flow with the fewest jobs in the queue, so that no flow loses its turn by sharing."""
        mine, theirs = self._lines.get(flow, ()), self._lines.get(job.flow, ())
        if flow[0] is job.flow[0] and len(mine) + 1 < len(theirs) and self._leave_line(job):
            job.flow = flow
            self._enter_line(job)

    def _enter_line(self, job: _Job) -> None:
        heapq.heappush(self._lines.setdefault(job.flow, []), job)
        self._sizes[job.flow[0]] += 1

    def _leave_line(self, job: _Job) -> bool:
        """Removes a job from the queue. Returns False if it is not in it."""
        line = self._lines.get(job.flow, [])
        if job not in line:
            return False
        line.remove(job)
        heapq.heapify(line)
        self._sizes[job.flow[0]] -= 1
        if not line:
            del self._lines[job.flow]
            self._served.pop(job.flow, None)
        return True

    def _next(self) -> _Job:
        """Removes the job whose turn it is from the queue, and returns it."""
        flow = min(self._lines, key=self._deadline)
        job = self._lines[flow][0]
        self._leave_line(job)
        if flow in self._lines:
            self._served[flow] = asyncio.get_running_loop().time()
        return job

    def _deadline(self, flow: _Flow) -> tuple[float, int]:
        first = self._lines[flow][0]
        due, number = first.due
        served = self._served.get(flow)
        return (due if served is None else max(due, served + first.patience), number)

    async def _work_off(self) -> None:
        """Runs the jobs in the queue until it is empty."""
        loop = asyncio.get_running_loop()
        try:
            while self._lines:
                job = self._next()
                if self._thread is None:
                    self._thread = ThreadPoolExecutor(1, self._name)
                try:
                    result = await loop.run_in_executor(self._thread, _run_and_collect, job.work)
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
                # An error's traceback refers to this frame: with the job in it, which refers to the error, all three would be garbage in a cycle.
                del job
        finally:
            self._running = None

    def _forget(self, job: _Job) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]


def _overloaded() -> Refusal:
    return Refusal("OVERLOADED", "The server is parsing too many new documents. Try again in a second.", retryAfter=1)
