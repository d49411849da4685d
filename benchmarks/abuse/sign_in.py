"""Signs in a whole school from one address, and then floods the server with sign-ins from the same address."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import orjson
import psycopg

from benchmarks.abuse.probes import KeptConnection, ask, probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request
from benchmarks.contest.load import percentile
from db.demo_accounts import DEMO_PASSWORD, demo_password_hash

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "A school's morning behind one address, and 200 connections that flood it with sign-ins"
SETTINGS: dict[str, str] = {}
_MORNING = 300
_VICTIMS = 20
_NEWCOMERS = 10
_CONNECTIONS = 200
_SECONDS = 20.0
_HONEST_EVERY = 0.25
_PATIENCE = 60.0
_SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code } } }"


async def measure(target: Target) -> list[Figure]:
    emails = _accounts(target.database_url)
    known, victims, newcomers = emails[:_MORNING], emails[_MORNING : _MORNING + _VICTIMS], emails[_MORNING + _VICTIMS :]
    began = time.perf_counter()
    morning = await asyncio.gather(*(_sign_in(target, each) for each in known))
    seconds = time.perf_counter() - began
    at_once = [await asyncio.gather(*(_sign_in(target, each) for each in known[:5] for _ in range(5))) for _ in range(12)]
    for each in victims:
        await _sign_in(target, each)
    return [
        Figure(f"of {_MORNING} accounts at once from one new address, let in", morning.count("in"), "", at_least=_MORNING),
        Figure("until the last of them was in", seconds, "s", at_most=60),
        Figure("of five accounts, five times at once, twelve times, let in", sum(each.count("in") for each in at_once), "", at_least=300),
        *await _flood(target, known, victims),
        *await _afterwards(target, known[-1], newcomers),
    ]


async def _flood(target: Target, known: Sequence[str], victims: Sequence[str]) -> list[Figure]:
    answers: Counter[str] = Counter()
    honest: list[tuple[str, float]] = []
    ended = asyncio.Event()

    async def attack(number: int) -> None:
        connection = KeptConnection(target.address)
        turn = 0
        while not ended.is_set():
            turn += 1
            email = victims[(number + turn) % len(victims)] if number % 4 == 0 else f"nobody-{number}-{turn}@school.example"
            answers[_code((await connection.ask(_request(email, f"guess {turn}"), _PATIENCE)).body)] += 1
        connection.close()

    async def sign_in(email: str) -> None:
        began = time.perf_counter()
        honest.append((await _sign_in(target, email), time.perf_counter() - began))

    async with probes(target) as probed, asyncio.TaskGroup() as group:
        for number in range(_CONNECTIONS):
            group.create_task(attack(number))
        arrivals = int(_SECONDS / _HONEST_EVERY)
        for number in range(arrivals):
            group.create_task(sign_in(known[number]))
            await asyncio.sleep(_HONEST_EVERY)
        ended.set()
    return [
        *probed.figures(),
        Figure("of the flood, answered", answers.total() / _SECONDS, "/s"),
        *(Figure(f"of the flood, {code}", number, "") for code, number in sorted(answers.items())),
        Figure("of the flood, let in", answers["in"], "", at_most=0),
        Figure("known accounts meanwhile, from the same address", len(honest), ""),
        Figure("of those, let in", [answer for answer, _ in honest].count("in"), "", at_least=arrivals),
        Figure("their sign-ins took, p95", 1000 * percentile([took for _, took in honest], 0.95), "ms", at_most=5_000),
    ]


async def _afterwards(target: Target, known: str, newcomers: Sequence[str]) -> list[Figure]:
    began = time.perf_counter()
    first = await _sign_in(target, known)
    known_took = time.perf_counter() - began
    for _ in range(100):
        if await _sign_in(target, newcomers[0]) == "in":
            break
        await asyncio.sleep(0.5)
    took = time.perf_counter() - began
    others = await asyncio.gather(*(_sign_in(target, each) for each in newcomers[1:]))
    return [
        Figure("afterwards, a known account is in", 1000 * known_took if first == "in" else 1e9, "ms", at_most=1_000),
        Figure("afterwards, an account that was never at that address is in", took, "s", at_most=15),
        Figure(f"and of {len(others)} more such accounts at once, let in", others.count("in"), "", at_least=len(others)),
    ]


async def _sign_in(target: Target, email: str) -> str:
    return _code((await ask(target, _request(email, DEMO_PASSWORD), patience=_PATIENCE)).body)


def _request(email: str, password: str) -> bytes:
    body = {"query": _SIGN_IN, "variables": {"input": {"email": email, "password": password}}}
    return http_request("/graphql", orjson.dumps(body))


def _code(body: bytes) -> str:
    """Returns `in` after a successful sign-in, or else the error's code."""
    if not body:
        return "no answer"
    answer = orjson.loads(body)
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    payload = answer["data"]["signIn"]
    return "in" if payload["session"] else str(payload["userErrors"][0]["code"])


def _accounts(url: str) -> list[str]:
    """Returns the e-mail addresses of accounts that have never signed in and have the demo password."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "UPDATE users SET password_hash = %s, is_active = true WHERE id IN"
            " (SELECT u.id FROM users u WHERE u.email NOT LIKE '%%@demo.school' AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = u.id)"
            " ORDER BY u.id LIMIT %s) RETURNING email",
            [demo_password_hash(), _MORNING + _VICTIMS + _NEWCOMERS],
        ).fetchall()
    return [email for (email,) in rows]
