"""Measures the processor time that a request takes in the application and in PostgreSQL, one request at a time and without a network.

python -m benchmarks.cpu

Reports the minimum of several rounds, since other load on the machine can only add time. The application is called as uvicorn would call it, without
sockets and HTTP parsing; the time for those is in `make bench`, as "Starlette sends the same bytes".
"""

import os
import time
from typing import Any

import orjson
import uvloop

from benchmarks.asgi_request import post_graphql
from benchmarks.contest.processes import database_cpu_seconds
from benchmarks.contest.run import PASSWORD
from benchmarks.contest.screens import TEACHER, Screen, administrator_screens, teacher_screens
from benchmarks.district_school import district
from config import load_settings

__all__ = ["main"]

_ROUNDS = 8
_TIMES = {"small": 150, "medium": 40, "large": 12}
_SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }"


async def _asked(app: Any, body: bytes, token: str | None) -> bytes:
    """Returns the body of the response to one request."""
    status, answer = await post_graphql(app, body, token)
    if status != 200 or answer.startswith(b'{"errors"'):
        raise RuntimeError(answer[:500].decode())
    return answer


async def _token(app: Any, email: str) -> str:
    body = orjson.dumps({"query": _SIGN_IN, "variables": {"input": {"email": email, "password": PASSWORD}}})
    token: str = orjson.loads(await _asked(app, body, None))["data"]["signIn"]["session"]["accessToken"]
    return token


async def _measured(app: Any, url: str, screen: Screen, token: str) -> tuple[float, float, float]:
    """Returns the milliseconds that a request takes: processor time of the application, processor time of PostgreSQL, and elapsed time."""
    bodies = [orjson.dumps({"query": screen.document, "variables": each}) for each in screen.variables]
    for body in bodies[:3] * 3:
        await _asked(app, body, token)
    times = _TIMES[screen.kind]
    rounds = []
    for _ in range(_ROUNDS):
        database, own, began = database_cpu_seconds(url) or 0.0, time.process_time(), time.perf_counter()
        for number in range(times):
            await _asked(app, bodies[number % len(bodies)], token)
        taken = (time.process_time() - own, (database_cpu_seconds(url) or 0.0) - database, time.perf_counter() - began)
        rounds.append([each / times * 1000 for each in taken])
    own_ms, database_ms, clock_ms = (min(each) for each in zip(*rounds, strict=True))
    return own_ms, database_ms, clock_ms


async def _run(url: str) -> None:
    from app import create_app

    app = create_app()
    async with app.router.lifespan_context(app):
        print("| | application, ms | PostgreSQL, ms | clock, ms |\n|---|---|---|---|")
        for email, screens in (("admin@demo.school", administrator_screens(url)), (TEACHER, teacher_screens(url))):
            token = await _token(app, email)
            for screen in screens:
                own, database, clock = await _measured(app, url, screen, token)
                print(f"| {screen.name} | {own:.2f} | {database:.1f} | {clock:.1f} |", flush=True)


def main() -> None:
    with district() as url:
        os.environ |= {"DATABASE_URL": url, "SECRET_KEY": "of a bench, which nobody else can reach", "LOG_LEVEL": "warning"}
        # Excludes the statements that found the school.
        load_settings.cache_clear()
        uvloop.run(_run(url))


if __name__ == "__main__":
    main()
