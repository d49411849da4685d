"""Load: connections that ask one request after the other and look at every answer.

Made for this, since a generator that does not look at answers takes an error for speed: each body is compared, byte for byte, with the one that
was compared with the other servers' before. It runs under uvloop in a process of its own; what part of a core it took is in the results, so that
one sees which of the two was the slower.
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
    """A server answered something else than it should have."""


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
    """A whole HTTP/1.1 request, and the body that must come back; where that cannot be known beforehand, `fits` looks at it."""

    request: bytes
    answer: bytes = b""
    fits: Callable[[bytes], bool] | None = None

    def expects(self, body: bytes) -> bool:
        return body == self.answer if self.fits is None else self.fits(body)


@dataclass(slots=True)
class Outcome:
    """What one stretch of load came to. `seconds`: from the first request to the last answer; latencies in seconds; times are CLOCK_MONOTONIC."""

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
    """The value that this share (0 to 1) of the values does not exceed; 0.0 of no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _Client(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, compares, sends the next, until the time is over."""

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
    """Asks for `seconds`, then waits for what is on its way. Raises LoadError at the first answer that is not what it should be.

    A connection for each sequence, with one request on its way at a time; a sequence that comes to its end closes its connection.
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
    """A sequence without end for each connection: all exchanges over and over, each connection beginning at another."""
    places = [n % len(exchanges) for n in range(connections)]
    return [cycle([*exchanges[place:], *exchanges[:place]]) for place in places]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without this process's own garbage collector, whose pauses would be taken for the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def use_cores(cores: Sequence[int]) -> None:
    """Keeps this process on these cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
