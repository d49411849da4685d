"""Sends 60 MiB in one header, URL, trailer or chunk extension, and incomplete bodies; measures the server's memory and the effect on others."""

import asyncio
from collections import Counter
from contextlib import suppress

from benchmarks.abuse.probes import probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.load import Address

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Oversized requests (line 4)"
SETTINGS: dict[str, str] = {}

_MIB = 1 << 20
_SIZE = 60 * _MIB
_HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# For each attack: the start of the request, the bytes that are repeated after it, and the expected status.
_ATTACKS = (
    (b"GET /", b"a" * _MIB, 414),
    (b"GET /graphql?query=", b"%20" * (_MIB // 3), 414),
    (_HEAD + b"Authorization: Bearer ", b"a" * _MIB, 431),
    (_HEAD, b"A: b\r\n" * (_MIB // 6), 431),
    (_CHUNKED + b"0\r\nA: ", b"a" * _MIB, 431),
    (_CHUNKED + b"0\r\n", b"A: b\r\n" * (_MIB // 6), 431),
    (_CHUNKED + b"1;", b"a" * _MIB, 413),
    (_CHUNKED, b"1;abc=def\r\n \r\n" * (_MIB // 14), 413),
    (_CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n", 413),
    (_HEAD + b"Content-Length: 62914560\r\n\r\n", b" " * _MIB, 413),
)
_TIMES = 8
_STALLED = 300


async def _send(address: Address, start: bytes, piece: bytes) -> tuple[int, int]:
    """Returns the status of the response (0 without one), and the number of bytes that the server read."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    answer = asyncio.create_task(reader.readexactly(12))
    status, sent = 0, 0
    with suppress(OSError):
        writer.write(start)
        while sent < _SIZE:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
    with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        status = int((await asyncio.wait_for(answer, 20))[9:])
    writer.transport.abort()
    return status, sent


async def _stall(address: Address, ended: asyncio.Event) -> None:
    """Sends all but the end of a body, and then nothing more."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(_HEAD + b"Content-Length: 262144\r\n\r\n" + b" " * 262_000)
        await ended.wait()
        writer.transport.abort()


async def measure(target: Target) -> list[Figure]:
    before = target.memory()
    wrong: Counter[str] = Counter()
    most_taken = unread = 0
    async with probes(target) as probed:
        for _ in range(_TIMES):
            got = await asyncio.gather(*(_send(target.address, start, piece) for start, piece, _ in _ATTACKS))
            for (status, sent), (start, _, wanted) in zip(got, _ATTACKS, strict=True):
                most_taken = max(most_taken, sent)
                # A client that is still writing when the connection is closed may be reset before it has read the response.
                unread += status == 0
                if status not in (0, wanted):
                    wrong[f"{start[-30:]!r}: {status}"] += 1
        ended = asyncio.Event()
        stalled = [asyncio.create_task(_stall(target.address, ended)) for _ in range(_STALLED)]
        await asyncio.sleep(5)
        ended.set()
        await asyncio.gather(*stalled)
    for what, times in wrong.items():
        print(f"    {what} ({times} times)")
    return [
        Figure("answers with another status than 413, 414, 431", wrong.total(), "", at_most=0),
        Figure("connections that were reset before the answer was read", unread, ""),
        Figure("most that one connection could send", most_taken / _MIB, "MiB", at_most=20),
        Figure("memory before", before, "MB"),
        *probed.figures(),
    ]
