"""Generates closed-loop load: connections that send one request after the other and check every response.

A generator that does not check responses would mistake errors for speed. This one compares each body, byte for byte, with the one that was compared
with the other servers' before. It runs under uvloop in its own process. The results include the share of a core that it used, which shows whether the
server or the generator was the bottleneck.
"""

import asyncio
import gc
import os
import re
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast
from urllib.parse import urlsplit

__all__ = ["Address", "Exchange", "LoadError", "Outcome", "in_turn", "load", "percentile", "undisturbed", "use_cores"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class LoadError(Exception):
    """Raised when a server's response is not the expected one."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Address":
        parts = urlsplit(url)
        return cls(parts.hostname or "127.0.0.1", parts.port or 80)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Holds a complete HTTP/1.1 request and the expected response body, or `fits`, which checks a body that is not known beforehand."""

    request: bytes
    answer: bytes = b""
    fits: Callable[[bytes], bool] | None = None

    def expects(self, body: bytes) -> bool:
        return body == self.answer if self.fits is None else self.fits(body)


@dataclass(slots=True)
class Outcome:
    """Holds the results of one run. `seconds` is from the first request to the last response; latencies are in seconds, times are CLOCK_MONOTONIC."""

    began: float
    seconds: float
    latencies: "array[float]" = field(repr=False)
    own_cpu_seconds: float = 0.0

    @property
    def requests(self) -> int:
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value that the given share (0 to 1) of the values does not exceed; 0.0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _Client(asyncio.Protocol):
    """Sends requests on one connection until the time is over, each after checking the response to the one before."""

    def __init__(self, exchanges: Iterator[Exchange], until: float, latencies: "array[float]") -> None:
        self._exchanges = exchanges
        self._exchange = next(exchanges)
        self._until = until
        self._latencies = latencies
        self._transport: asyncio.Transport | None = None
        self._chunks: list[bytes] = []
        self._received = 0
        self._wanted = 0
        self._head = 0
        self._sent = 0.0
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent = time.perf_counter()
        self._transport.write(self._exchange.request)

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._received += len(data)
        if not self._wanted and not self._read_head():
            return
        if self._received < self._wanted:
            return
        now = time.perf_counter()
        whole = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        body = whole[self._head : self._wanted]
        if self._received != self._wanted or not self._exchange.expects(body):
            self._fail(f"answered {body[:500]!r}" + (f" instead of {self._exchange.answer[:500]!r}" if self._exchange.fits is None else ""))
            return
        self._received = self._wanted = 0
        self._latencies.append(now - self._sent)
        if now >= self._until:
            self._end()
            return
        following = next(self._exchanges, None)
        if following is None:
            self._end()
            return
        self._exchange = following
        self._send()

    def _read_head(self) -> bool:
        whole = b"".join(self._chunks)
        end = whole.find(_HEAD_END)
        if end < 0:
            return False
        length = _LENGTH.search(whole, 0, end)
        if not whole.startswith(b"HTTP/1.1 200") or length is None:
            self._fail(f"answered {whole[:500]!r}")
            return False
        self._head = end + len(_HEAD_END)
        self._wanted = self._head + int(length[1])
        return True

    def _fail(self, text: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(LoadError(text))
        if self._transport is not None:
            self._transport.abort()

    def _end(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(LoadError(f"closed the connection: {exc!r}"))


async def load(address: Address, sequences: Sequence[Iterator[Exchange]], *, seconds: float) -> Outcome:
    """Sends requests for `seconds`, then waits for the last responses. Raises LoadError at the first response that is not the expected one.

    Each sequence has its own connection, with one request at a time. The connection of a sequence that is exhausted is closed.
    """
    loop = asyncio.get_running_loop()
    latencies: array[float] = array("d")
    began, cpu = time.monotonic(), time.process_time()
    until = time.perf_counter() + seconds
    clients: list[_Client] = []
    try:
        for sequence in sequences:
            client = _Client(sequence, until, latencies)
            clients.append(client)
            await loop.create_connection(lambda client=client: client, address.host, address.port)  # type: ignore[misc]
        await asyncio.gather(*(client.finished for client in clients))
    finally:
        for client in clients:
            client._end()
            if client.finished.done() and not client.finished.cancelled():
                client.finished.exception()
    return Outcome(began, time.monotonic() - began, latencies, time.process_time() - cpu)


def in_turn(exchanges: Sequence[Exchange], connections: int) -> list[Iterator[Exchange]]:
    """Returns an endless sequence for each connection: all exchanges cyclically, with each connection starting at a different one."""
    places = [n % len(exchanges) for n in range(connections)]
    return [cycle([*exchanges[place:], *exchanges[:place]]) for place in places]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Disables this process's garbage collector, whose pauses would be mistaken for the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def use_cores(cores: Sequence[int]) -> None:
    """Pins this process to these cores, if the operating system supports it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
