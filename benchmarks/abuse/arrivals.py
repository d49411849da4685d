"""Open-loop load: requests that arrive on a schedule, whether or not the ones before them were answered.

A closed loop, in which each connection waits for its answer, slows down with the server and so cannot overload it. Times are counted from the
moment at which a request was due, so that one that had to wait for its sending counts as slow.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from benchmarks.contest.load import Address

__all__ = ["Arrivals", "arrive"]

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(slots=True)
class Arrivals:
    """The answers: (seconds since the start when it was due, seconds until it was answered, status, whether it has `Retry-After`).

    `unanswered`: broken connections, answers that did not come, requests that found no connection free.
    """

    seconds: float
    answers: list[tuple[float, float, int, bool]] = field(default_factory=list)
    unanswered: int = 0
    behind: float = 0.0

    def accepted(self) -> list[float]:
        """Seconds that each request took which was answered with 200."""
        return [took for _, took, status, _ in self.answers if status == 200]

    def goodput(self, skip: float) -> float:
        """Answers with 200 a second, between `skip` seconds after the start and the last arrival."""
        good = sum(1 for due, took, status, _ in self.answers if status == 200 and skip <= due + took <= self.seconds)
        return good / (self.seconds - skip)


class _Connection(asyncio.Protocol):
    """A kept connection with at most one request on its way."""

    def __init__(self, arrivals: Arrivals, began: float, idle: "list[_Connection]") -> None:
        self._arrivals = arrivals
        self._began = began
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
        now = time.perf_counter() - self._began
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


async def arrive(
    address: Address, requests: Iterator[bytes], *, rate: float, seconds: float, most: int = 1_500, patience: float = 15.0
) -> Arrivals:
    """Sends `rate` requests a second for `seconds`, on at most `most` connections, and waits up to `patience` seconds for the last answers."""
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    arrivals, idle = Arrivals(seconds), list[_Connection]()
    all_of_them, opening = list[_Connection](), set[asyncio.Task[None]]()

    async def open_and_send(request: bytes, due: float) -> None:
        try:
            _, connection = await loop.create_connection(lambda: _Connection(arrivals, began, idle), address.host, address.port)
        except OSError:
            arrivals.unanswered += 1
            return
        all_of_them.append(connection)
        connection.send(request, due)

    for number in range(int(rate * seconds)):
        due = number / rate
        early = due - (time.perf_counter() - began)
        if early > 0.001:
            await asyncio.sleep(early)
        elif number % 32 == 0:
            await asyncio.sleep(0)
        arrivals.behind = max(arrivals.behind, -early)
        if idle:
            idle.pop().send(next(requests), due)
        elif len(all_of_them) + len(opening) < most:
            task = asyncio.create_task(open_and_send(next(requests), due))
            opening.add(task)
            task.add_done_callback(opening.discard)
        else:
            arrivals.unanswered += 1
    until = time.perf_counter() + patience
    while time.perf_counter() < until and (opening or any(each.is_waiting for each in all_of_them)):  # noqa: ASYNC110 - an event would cost each answer
        await asyncio.sleep(0.02)
    for each in all_of_them:
        assert each.transport is not None
        each.transport.abort()
    await asyncio.sleep(0)
    return arrivals
