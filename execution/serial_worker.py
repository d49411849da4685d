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


# A flow, of those of low priority or of the others.
_Flow = tuple[bool, Hashable]


@dataclass(order=True, slots=True)
class _Job:
    due: tuple[float, int]
    patience: float = field(compare=False)
    key: Hashable = field(compare=False)
    work: Callable[[], Any] = field(compare=False)
    done: "asyncio.Future[Any]" = field(compare=False)
    flow: _Flow = field(compare=False)
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
    never overtaken for ever. Flows take turns: once a flow was served, its other jobs count as having come then. Work under one key runs once for
    all that wait for it.

    `max_waiting` jobs may stand in line, and beside them `max_waiting_low` of low priority. When these places are taken, the flow with the most of
    them gives way: its newest job is refused with OVERLOADED.
    """

    def __init__(self, *, max_waiting: int = 64, max_waiting_low: int = 512, name: str = "worker") -> None:
        self._room = {False: max_waiting, True: max_waiting_low}
        self._name = name
        # The lines of the flows, each a heap; none is empty.
        self._lines: dict[_Flow, list[_Job]] = {}
        self._sizes = {False: 0, True: 0}
        # When the flows that are in line were served last.
        self._served: dict[_Flow, float] = {}
        self._jobs: dict[Hashable, _Job] = {}
        self._numbers = count()
        self._running: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def waiting(self) -> int:
        """The number of jobs in line."""
        return sum(self._sizes.values())

    async def run(
        self, key: Hashable, work: Callable[[], T], *, flow: Hashable = None, patience: float = 0.0, low_priority: bool = False
    ) -> T:
        """Returns what the work returns, or raises what it raises. Raises an OVERLOADED refusal when the line is full."""
        place = (low_priority, flow)
        job = self._jobs.get(key)
        if job is None:
            job = self._enqueue(key, work, patience, place)
        else:
            self._share(job, place)
        job.waiters += 1
        try:
            result: T = await asyncio.shield(job.done)
        except asyncio.CancelledError:
            if job.waiters == 1 and self._leave_line(job):
                # Nobody waits for it any more, and it has not begun.
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

    def _enqueue(self, key: Hashable, work: Callable[[], Any], patience: float, flow: _Flow) -> _Job:
        loop = asyncio.get_running_loop()
        if self._running is not None and self._running.get_loop() is not loop:
            # Its loop has ended, and so has everybody who waited there.
            self._lines, self._sizes, self._served, self._jobs, self._running = {}, {False: 0, True: 0}, {}, {}, None
        self._make_room(flow)
        job = _Job((loop.time() + patience, next(self._numbers)), patience, key, work, loop.create_future(), flow)
        self._jobs[key] = job
        self._enter_line(job)
        if self._running is None:
            self._running = loop.create_task(self._work_off())
        return job

    def _make_room(self, flow: _Flow) -> None:
        """Refuses the newest job of the flow with the most when there is no place for another one. Raises when that is this flow's."""
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
        """Lets a job count for the flow with the fewest in line of those that wait for it, so that none suffers for being in company."""
        mine, theirs = self._lines.get(flow, ()), self._lines.get(job.flow, ())
        if flow[0] is job.flow[0] and len(mine) + 1 < len(theirs) and self._leave_line(job):
            job.flow = flow
            self._enter_line(job)

    def _enter_line(self, job: _Job) -> None:
        heapq.heappush(self._lines.setdefault(job.flow, []), job)
        self._sizes[job.flow[0]] += 1

    def _leave_line(self, job: _Job) -> bool:
        """Takes a job out of the line; False when it has left it already."""
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
        """Takes the job whose turn it is out of the line."""
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
        """Runs what is in line until nothing is."""
        loop = asyncio.get_running_loop()
        try:
            while self._lines:
                job = self._next()
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


def _overloaded() -> Refusal:
    return Refusal("OVERLOADED", "Too many new documents at once: try again in a second.", retryAfter=1)
