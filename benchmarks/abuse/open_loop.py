"""Generates open-loop load: requests that are sent on a schedule, whether or not earlier ones were answered.

A closed loop, in which each connection waits for its response, slows down with the server and so cannot overload it. Latencies are measured from the
time at which a request was due, so that a request that was sent late counts as slow.

The generator runs in its own process, so that it does not delay other measurements. It keeps its connections open, as browsers do, and opens
them before the load begins. A request that finds no idle connection opens another, up to `most`; beyond that it counts as unanswered.
"""

import asyncio
import gc
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection as Pipe
from typing import cast

import uvloop

from benchmarks.contest.load import Address

__all__ = ["Arrivals", "Schedule", "arrive"]

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Schedule:
    """Describes a load of `rate` requests per second for `seconds`, on `opened` connections that are opened beforehand, and up to `most` in all.

    The connections are opened at a rate of `opened_per_second`. The generator waits `patience` seconds for the last responses.
    """

    rate: float
    seconds: float
    opened: int = 1_000
    most: int = 1_500
    patience: float = 15.0
    opened_per_second: float = 500.0


@dataclass(slots=True)
class Arrivals:
    """Holds the results of a load. `answers` are (seconds from the start until it was due, latency in seconds, status, has `Retry-After`).

    `unanswered` counts broken connections, missing responses and requests for which no connection was free. `opened` counts the connections that were
    opened during the load. `behind` is the longest delay in seconds with which a request was sent, `core` the share of a core that the generator used.
    """

    seconds: float
    answers: list[tuple[float, float, int, bool]] = field(default_factory=list)
    unanswered: int = 0
    opened: int = 0
    behind: float = 0.0
    core: float = 0.0

    def accepted(self) -> list[float]:
        """Returns the latencies, in seconds, of the requests that were answered with 200."""
        return [took for _, took, status, _ in self.answers if status == 200]

    def goodput(self, skip: float) -> float:
        """Returns the number of responses with 200 per second, from `skip` seconds after the start to the last request."""
        good = sum(1 for due, took, status, _ in self.answers if status == 200 and skip <= due + took <= self.seconds)
        return good / (self.seconds - skip)


class _Connection(asyncio.Protocol):
    """Sends requests on a persistent connection, one at a time."""

    def __init__(self, arrivals: Arrivals, now: Callable[[], float], idle: "list[_Connection]") -> None:
        self._arrivals = arrivals
        self._now = now
        self._idle = idle
        self._data = b""
        self._due: float | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes, due: float) -> None:
        assert self.transport is not None
        self._due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._data = self._data + data if self._data else data
        end = data.find(_HEAD_END)
        if end < 0:
            return
        at = data.find(_LENGTH, 0, end)
        if len(data) < end + 4 + int(data[at + len(_LENGTH) : data.find(b"\r\n", at)]):
            return
        now = self._now()
        assert self._due is not None
        self._arrivals.answers.append((self._due, now - self._due, int(data[9:12]), data.find(b"\r\nretry-after:", 0, end) > 0))
        self._data, self._due = b"", None
        if data.find(b"\r\nconnection: close", 0, end) < 0:
            self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._idle:
            self._idle.remove(self)
        if self._due is not None:
            self._arrivals.unanswered += 1
            self._due = None

    @property
    def is_waiting(self) -> bool:
        return self._due is not None


class _Generator:
    """Generates the load of one schedule on the running event loop."""

    def __init__(self, address: Address, requests: Sequence[bytes], schedule: Schedule) -> None:
        self._address = address
        self._requests = cycle(requests)
        self._schedule = schedule
        self._began = 0.0
        self._connections: list[_Connection] = []
        self._idle: list[_Connection] = []
        self._opening: set[asyncio.Task[None]] = set()
        self.arrivals = Arrivals(schedule.seconds)

    async def open(self) -> None:
        """Opens the connections that are needed before the first request."""
        for number in range(self._schedule.opened):
            await self._open()
            await asyncio.sleep(1 / self._schedule.opened_per_second if number % 8 else 0)
        self._idle.extend(self._connections)

    async def run(self) -> None:
        """Sends the requests when they are due, and waits for the last responses."""
        schedule, arrivals = self._schedule, self.arrivals
        self._began, cpu = time.perf_counter(), time.process_time()
        for number in range(int(schedule.rate * schedule.seconds)):
            due = number / schedule.rate
            early = due - self._now()
            if early > 0.001:
                await asyncio.sleep(early)
            elif number % 32 == 0:
                await asyncio.sleep(0)
            arrivals.behind = max(arrivals.behind, -early)
            self._arrive(next(self._requests), due)
        arrivals.core = (time.process_time() - cpu) / self._now()
        until = time.perf_counter() + schedule.patience
        while time.perf_counter() < until and (self._opening or any(each.is_waiting for each in self._connections)):  # noqa: ASYNC110 - an event would cost each answer
            await asyncio.sleep(0.02)
        for each in self._connections:
            assert each.transport is not None
            each.transport.abort()
        await asyncio.sleep(0)

    def _arrive(self, request: bytes, due: float) -> None:
        if self._idle:
            self._idle.pop().send(request, due)
        elif len(self._connections) + len(self._opening) < self._schedule.most:
            self.arrivals.opened += 1
            task = asyncio.create_task(self._open_and_send(request, due))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self.arrivals.unanswered += 1

    async def _open_and_send(self, request: bytes, due: float) -> None:
        try:
            connection = await self._open()
        except OSError:
            self.arrivals.unanswered += 1
            return
        connection.send(request, due)

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()
        address = self._address
        _, connection = await loop.create_connection(lambda: _Connection(self.arrivals, self._now, self._idle), address.host, address.port)
        self._connections.append(connection)
        return connection

    def _now(self) -> float:
        return time.perf_counter() - self._began


async def arrive(
    address: Address, requests: Sequence[bytes], schedule: Schedule, *, on_open: Callable[[], None] = lambda: None
) -> Arrivals:
    """Sends the requests cyclically from another process. Calls `on_open` when its connections are open and the load begins."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_generate, args=(theirs, address, list(requests), schedule), daemon=True)
    process.start()
    theirs.close()
    try:
        await asyncio.to_thread(ours.recv)
        on_open()
        ours.send(None)
        found: Arrivals = await asyncio.to_thread(ours.recv)
        return found
    finally:
        ours.close()
        await asyncio.to_thread(process.join)


def _generate(pipe: Pipe, address: Address, requests: list[bytes], schedule: Schedule) -> None:
    gc.disable()
    pipe.send(uvloop.run(_generated(pipe, _Generator(address, requests, schedule))))


async def _generated(pipe: Pipe, generator: _Generator) -> Arrivals:
    await generator.open()
    pipe.send(None)
    pipe.recv()
    await generator.run()
    return generator.arrivals
