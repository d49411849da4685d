"""Measures the effect of an attack on others: requests the small screen on a persistent connection, and /health/live on a new one each time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request
from benchmarks.contest.load import Address, percentile
from benchmarks.contest.screens import teacher_screens

__all__ = ["Answer", "KeptConnection", "Probed", "ask", "probes"]

# On a new connection each time, as load balancers do.
LIVE = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
# The interval between probes. One that is late is sent as soon as the one before it is answered.
_EVERY = 0.025
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Holds a response: its status (0 if the connection broke or it timed out), its latency in milliseconds, and its body."""

    status: int
    milliseconds: float
    body: bytes = b""


@dataclass(slots=True)
class Probed:
    """Holds the probes' results: their responses, and the server's peak memory in MB."""

    small: list[Answer] = field(default_factory=list)
    live: list[Answer] = field(default_factory=list)
    memory: float = 0.0

    def forget(self) -> None:
        """Discards the results so far."""
        self.small.clear()
        self.live.clear()
        self.memory = 0.0

    def figures(self, *, memory_at_most: float | None = 300) -> list[Figure]:
        """Returns the figures by which every attack is judged."""
        small, live = ([each.milliseconds for each in answers] for answers in (self.small, self.live))
        return [
            Figure("small query meanwhile, p95", percentile(small, 0.95), "ms", at_most=100),
            Figure("small queries meanwhile, refused or failed", sum(not _is_good(each) for each in self.small), "", at_most=0),
            Figure("/health/live meanwhile, p99", percentile(live, 0.99), "ms", at_most=100),
            Figure("/health/live meanwhile, longest", max(live, default=0.0), "ms"),
            Figure("memory of the worker, most", self.memory, "MB", at_most=memory_at_most),
        ]


def _is_good(answer: Answer) -> bool:
    return answer.status == 200 and not answer.body.startswith(b'{"errors"')


class KeptConnection:
    """Sends requests on a persistent connection, which it opens again if the server has closed it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes, patience: float) -> Answer:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(patience):
                status, body = await self._exchange(request)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            status, body = 0, b""
            self.close()
        return Answer(status, (time.perf_counter() - began) * 1000, body)

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.host, self._address.port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        body = await reader.readexactly(length)
        if b"\r\nconnection: close" in head:
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def ask(target: Target, request: bytes, *, patience: float = _PATIENCE) -> Answer:
    """Sends one complete HTTP/1.1 request on a new connection and returns the response."""
    connection = KeptConnection(target.address)
    try:
        return await connection.ask(request, patience)
    finally:
        connection.close()


@asynccontextmanager
async def probes(target: Target) -> AsyncIterator[Probed]:
    """Probes the server while the block runs. The small query is sent as a teacher, so the attack should use another account."""
    screen = teacher_screens(target.database_url, 1)[0]
    body = orjson.dumps({"query": screen.document, "variables": screen.variables[0]})
    small = http_request("/graphql", body, target.tokens["TEACHER"])
    probed, ended = Probed(), asyncio.Event()
    await ask(target, small)  # warms its plan
    tasks = [
        asyncio.create_task(_probe(target.address, small, probed.small, ended)),
        asyncio.create_task(_probe(target.address, LIVE, probed.live, ended)),
        asyncio.create_task(_watch_memory(target, probed, ended)),
    ]
    try:
        yield probed
    finally:
        ended.set()
        await asyncio.gather(*tasks)


async def _probe(address: Address, request: bytes, answers: list[Answer], ended: asyncio.Event) -> None:
    connection = KeptConnection(address)
    try:
        while not ended.is_set():
            due = time.perf_counter() + _EVERY
            answers.append(await connection.ask(request, _PATIENCE))
            await asyncio.sleep(due - time.perf_counter())
    finally:
        connection.close()


async def _watch_memory(target: Target, probed: Probed, ended: asyncio.Event) -> None:
    while not ended.is_set():
        probed.memory = max(probed.memory, target.memory())
        await asyncio.sleep(0.1)
