"""Occupies connections with incomplete, slow and missing requests and with unread responses; measures how long they last and the effect on others."""

import asyncio
import time
from contextlib import suppress

from benchmarks.abuse.probes import probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.load import Address

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Slow senders and readers (line 12)"
# The defaults, except for the idle timeout, for which the run would have to wait.
SETTINGS = {"IDLE_SECONDS": "10"}

_CLIENTS = 200
# The longest timeout, plus the interval of the sweep.
_PATIENCE = 40.0

_HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_HALF = (b"", b"P", _HEAD, _HEAD + b"Content-Length: 1000\r\n\r\n{", _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{")


class _Clients:
    """Records when the server closed each client's connection."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.lasted: list[float] = []

    async def hold(self, sent: bytes, trickle: bytes = b"") -> None:
        """Sends a part of a request, and then one byte per second until the server closes the connection."""
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
        """Requests large responses, one after the other, and reads none of them."""
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
    # The largest response without a token: an asset of the explorer.
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
