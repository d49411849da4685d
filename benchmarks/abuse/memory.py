"""Sends requests that could exhaust memory: queued ones with large variables, pipelined bodies, unread refusals, too many sign-ins."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson

from benchmarks.abuse.probes import KeptConnection, probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Requests that would fill the memory"
# Without a cost budget, which would end the first attack immediately.
SETTINGS = {"COST_PER_MINUTE": "0"}

_SECONDS = 10.0
_PATIENCE = 20.0
_LARGE_BODY = 252_000
# Just below the limit of values in a request.
_VALUES = 19_900
_WITH_VARIABLES = 160
_PIPELINING = 300
_UNREAD = 300
_SIGNING_IN = 2_200
_OPEN_FILES = 4_096
# Expensive enough to be limited to a few at once, so that most of these operations wait.
_EXPENSIVE = "{ " + " ".join(f"s{number}: students(first: 500) {{ nodes {{ id class {{ id }} }} }}" for number in range(16)) + " }"
_SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code } } }"
# Requests that are refused by a route, by the checks of parameters, and by GraphQL validation.
_REFUSED = (
    b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    http_request("/graphql", b"{}"),
    http_request("/graphql", orjson.dumps({"query": "{ " + " ".join(f"nothing{number}" for number in range(20)) + " }"})),
)


async def measure(target: Target) -> list[Figure]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_OPEN_FILES, hard), hard))
    attacks = (
        (f"{_WITH_VARIABLES} requests with {_LARGE_BODY // 1000} kB of undeclared variables", _WITH_VARIABLES, _ask_with_variables),
        (f"{_PIPELINING} connections that pipeline large bodies", _PIPELINING, _pipeline),
        (f"{_UNREAD} clients that do not read their refusals", _UNREAD, _leave_unread),
        (f"{_SIGNING_IN} connections that sign in", _SIGNING_IN, _sign_in),
    )
    figures = [Figure("memory before", target.memory(), "MB")]
    for name, clients, attack in attacks:
        figures += await _attacked(target, name, clients, attack)
        # Waits until the server has finished with the attack's requests before the next attack begins.
        await asyncio.sleep(3)
    return figures


async def _attacked(
    target: Target, name: str, clients: int, attack: Callable[[Target, int, Counter[int]], Awaitable[None]]
) -> list[Figure]:
    statuses: Counter[int] = Counter()
    until = time.perf_counter() + _SECONDS

    async def repeat(number: int) -> None:
        while time.perf_counter() < until:
            with suppress(OSError):
                await attack(target, number, statuses)
            await asyncio.sleep(0.1)

    async with probes(target) as probed, asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(repeat(number))
    answered = [Figure(f"{name}: answered with {status or 'nothing'}", times, "") for status, times in sorted(statuses.items())]
    kept = ("/health/live meanwhile, p99", "/health/live meanwhile, longest", "memory of the worker, most")
    return answered + [
        Figure(f"{name}: {each.name}", each.value, each.unit, at_most=each.at_most) for each in probed.figures() if each.name in kept
    ]


async def _ask_with_variables(target: Target, number: int, statuses: Counter[int]) -> None:
    values = b"[]," * _VALUES
    filler = b"x" * (_LARGE_BODY - len(values) - len(_EXPENSIVE) - 60)
    body = b'{"query":%s,"variables":{"f":"%s","v":[%s0]}}' % (orjson.dumps(_EXPENSIVE), filler, values)
    connection = KeptConnection(target.address)
    try:
        answer = await connection.ask(http_request("/graphql", body, target.tokens["ADMIN"]), _PATIENCE)
        statuses[answer.status] += 1
    finally:
        connection.close()


async def _pipeline(target: Target, number: int, statuses: Counter[int]) -> None:
    """Returns an operation that waits, followed by as many large requests as the server reads."""
    large = http_request("/graphql", orjson.dumps({"query": "{ viewer { role } }" + " " * (_LARGE_BODY - 100)}), target.tokens["ADMIN"])
    reader, writer = await asyncio.open_connection(target.address.host, target.address.port)
    try:
        writer.write(http_request("/graphql", orjson.dumps({"query": _EXPENSIVE}), target.tokens["ADMIN"]) + large * 4)
        async with asyncio.timeout(_PATIENCE / 2):
            head = await reader.readline()
        statuses[int(head[9:12] or 0)] += 1
    except TimeoutError:
        statuses[0] += 1
    finally:
        writer.transport.abort()


async def _leave_unread(target: Target, number: int, statuses: Counter[int]) -> None:
    _, writer = await asyncio.open_connection(target.address.host, target.address.port, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's transports have it
    request = _REFUSED[number % len(_REFUSED)]
    try:
        async with asyncio.timeout(_SECONDS):
            while not writer.is_closing():
                writer.write(request * 4)
                await writer.drain()
                await asyncio.sleep(0.005)
    except TimeoutError:
        pass
    finally:
        writer.transport.abort()


async def _sign_in(target: Target, number: int, statuses: Counter[int]) -> None:
    connection = KeptConnection(target.address)
    try:
        for turn in range(5):
            given = {"email": f"nobody-{number}-{turn}@school.example", "password": "a guess of many"}
            body = orjson.dumps({"query": _SIGN_IN, "variables": {"input": given}})
            answer = await connection.ask(http_request("/graphql", body), _PATIENCE)
            statuses[answer.status] += 1
            if answer.status != 200:
                return
    finally:
        connection.close()
