"""Open-loop load: requests that arrive on a schedule, whether or not the ones before them were answered.

A closed loop, in which each connection waits for its answer, slows down with the server and so cannot overload it. Times are counted from the
moment at which a request was due, so that one that had to wait for its sending counts as slow.

The generator has a process of its own, so that it does not hold up what is measured beside it. It keeps its connections, as browsers do, and opens
them before the arrivals begin: a school that is at its screens has them. A request that finds none idle opens another, up to `most`; beyond that it is
not answered.
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
    """`rate` requests a second for `seconds`, on `opened` connections that are open before and `most` at most.

    The last answers have `patience` seconds to come. The connections are opened at `opened_per_second`.
    """

    rate: float
    seconds: float
    opened: int = 1_000
    most: int = 1_500
    patience: float = 15.0
    opened_per_second: float = 500.0


@dataclass(slots=True)
class Arrivals:
    """The answers: (seconds since the start when it was due, seconds until it was answered, status, whether it has `Retry-After`).

    `unanswered`: broken connections, answers that did not come, requests that found no connection free. `opened`: connections that were opened
    meanwhile. `behind`: seconds by which the generator sent a request late, at most. `core`: the share of a core that it took.
    """

    seconds: float
    answers: list[tuple[float, float, int, bool]] = field(default_factory=list)
    unanswered: int = 0
    opened: int = 0
    behind: float = 0.0
    core: float = 0.0

    def accepted(self) -> list[float]:
        """Seconds that each request took which was answered with 200."""
        return [took for _, took, status, _ in self.answers if status == 200]

    def goodput(self, skip: float) -> float:
        """Answers with 200 a second, between `skip` seconds after the start and the last arrival."""
        good = sum(1 for due, took, status, _ in self.answers if status == 200 and skip <= due + took <= self.seconds)
        return good / (self.seconds - skip)


class _Connection(asyncio.Protocol):
    """A kept connection with at most one request on its way."""

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
    """The load of one schedule, on the running event loop."""

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
        """Opens the connections that are there before the first request."""
        for number in range(self._schedule.opened):
            await self._open()
            await asyncio.sleep(1 / self._schedule.opened_per_second if number % 8 else 0)
        self._idle.extend(self._connections)

    async def run(self) -> None:
        """Sends the requests when they are due, and waits for the last answers."""
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
    """Sends the requests, over and over, from another process; calls `on_open` when its connections are open and the arrivals begin."""
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
