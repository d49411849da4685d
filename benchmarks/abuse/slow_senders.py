"""Clients that hold connections: half requests, trickled ones, silent ones, and readers that take nothing. How long they last, and what others notice."""

import asyncio
import time
from contextlib import suppress

from benchmarks.abuse.probes import probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.load import Address

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Slow senders and readers (line 12)"
# The defaults, but for the time between two requests: the run would wait for it.
SETTINGS = {"IDLE_SECONDS": "10"}

_CLIENTS = 200
# The longest of the time limits, and the sweep's second.
_PATIENCE = 40.0

_HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_HALF = (b"", b"P", _HEAD, _HEAD + b"Content-Length: 1000\r\n\r\n{", _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{")


class _Clients:
    """Clients, and when the server closed each of their connections."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.lasted: list[float] = []

    async def hold(self, sent: bytes, trickle: bytes = b"") -> None:
        """Sends a part of a request, and goes on with a byte each second until the server closes."""
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        writer.write(sent)
        with suppress(OSError):
            while not reader.at_eof():
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await reader.read(65536)
                if trickle:
                    writer.write(trickle)
                if time.perf_counter() - began > _PATIENCE:
                    break
        self.lasted.append(time.perf_counter() - began)
        writer.close()

    async def leave_unread(self, request: bytes) -> None:
        """Asks for large answers, one after the other, and reads none of them."""
        began = time.perf_counter()
        _, writer = await asyncio.open_connection(self._address.host, self._address.port, limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's transports have it
        with suppress(OSError):
            while time.perf_counter() - began < _PATIENCE and not writer.is_closing():
                writer.write(request)
                await asyncio.sleep(0.5)
        self.lasted.append(time.perf_counter() - began)
        writer.transport.abort()


async def measure(target: Target) -> list[Figure]:
    half, readers = _Clients(target.address), _Clients(target.address)
    # The largest thing that anybody may have: an asset of the explorer.
    large = b"GET /explorer/graphiql.min.js HTTP/1.1\r\nHost: x\r\n\r\n"
    before = target.memory()
    async with probes(target) as probed, asyncio.TaskGroup() as group:
        for n in range(_CLIENTS):
            group.create_task(half.hold(_HALF[n % len(_HALF)], b"" if n % 2 else b"a"))
        for _ in range(_CLIENTS // 4):
            group.create_task(readers.leave_unread(large))
    return [
        Figure("half requests that are open after 40 s", sum(each >= _PATIENCE for each in half.lasted), "", at_most=0),
        Figure("the longest that one lasted", max(half.lasted), "s", at_most=30),
        Figure("readers that are open after 40 s", sum(each >= _PATIENCE for each in readers.lasted), "", at_most=0),
        Figure("the longest that a reader lasted", max(readers.lasted), "s"),
        Figure("memory before", before, "MB"),
        *probed.figures(),
    ]
