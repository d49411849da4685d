"""Calls the application as uvicorn would call it, and measures how long an operation takes."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from graphql import GraphQLSchema, OperationDefinitionNode, parse

from benchmarks.asgi_request import post_graphql
from benchmarks.contest.run import PASSWORD
from config import load_settings
from execution.documents.cost_analysis import check_cost
from execution.documents.limits import Limits

__all__ = ["Application", "Taken"]

_SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }"
_UNLIMITED = 10**15
# PostgreSQL's processes that serve no client. A checkpoint or a vacuum meanwhile is not a cost of the operation.
_OWN_WORK = re.compile(rb"postgres: (checkpointer|background writer|walwriter|autovacuum|archiver|logical replication)")


@dataclass(frozen=True, slots=True)
class Taken:
    """Holds the figures of an operation: processor and elapsed milliseconds, how long the event loop was blocked, bytes, and the errors' `codes`.

    Processor time is that of the application and of PostgreSQL; on a busy machine, elapsed time also depends on other load. Only what the event loop's
    own thread computes counts as blocking.
    """

    ms: float
    clock_ms: float
    held_ms: float
    size: int
    codes: frozenset[str]


class Application:
    """Runs the application on a database, without the limits that would refuse a measurement."""

    def __init__(self, app: Any, schema: GraphQLSchema, postmaster: int) -> None:
        self._app = app
        self._postmaster = postmaster
        self._schema = schema
        self._token: str | None = None

    @classmethod
    @asynccontextmanager
    async def over(cls, url: str) -> AsyncIterator["Application"]:
        from app import create_app
        from schema import make_schema

        os.environ |= {
            "DATABASE_URL": url,
            "SECRET_KEY": "of a bench, which nobody else can reach",
            "LOG_LEVEL": "error",
            "MAX_COST": str(_UNLIMITED),
            "MAX_ALIASES": "100",
            "COST_PER_MINUTE": "0",
        }
        load_settings.cache_clear()
        app = create_app()
        async with app.router.lifespan_context(app):
            yield cls(app, make_schema()._schema, _postmaster(url))

    async def sign_in(self, email: str) -> None:
        variables = {"input": {"email": email, "password": PASSWORD}}
        _, answer = await post_graphql(self._app, orjson.dumps({"query": _SIGN_IN, "variables": variables}), self._token)
        self._token = orjson.loads(answer)["data"]["signIn"]["session"]["accessToken"]

    def cost(self, document: str) -> int:
        node = parse(document)
        (operation,) = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
        return check_cost(self._schema, node, operation, {}, Limits(cost=_UNLIMITED))

    async def taken(self, document: str, rounds: int = 3, enough_ms: float = 1_000) -> Taken:
        """Returns the shortest of several rounds, since other load on the machine only adds time; stops after one that took `enough_ms`."""
        body = orjson.dumps({"query": document})
        found: list[Taken] = []
        # Short operations are affected most by other load on the machine, so they are repeated most.
        while len(found) < (rounds if not found or found[-1].ms > 30 else 3 * rounds) and (not found or found[-1].ms < enough_ms):
            found.append(await self._once(body))
        # The first round prepares the statement on a connection.
        return min(found[1:] or found, key=lambda each: each.ms)

    async def _once(self, body: bytes) -> Taken:
        held = _Held()
        ticking = asyncio.create_task(held.run())
        await asyncio.sleep(0)
        before, began, cpu = self._database_seconds(), time.perf_counter(), time.process_time()
        _, answer = await post_graphql(self._app, body, self._token)
        clock_ms, own = (time.perf_counter() - began) * 1000, time.process_time() - cpu
        # A process that has ended meanwhile is ignored: it did not serve this operation.
        database = sum(seconds - before.get(pid, 0.0) for pid, seconds in self._database_seconds().items())
        ms = (own + database) * 1000
        held.note()
        ticking.cancel()
        errors = orjson.loads(answer).get("errors", []) if b'"errors"' in answer[:20] else []
        return Taken(
            min(ms, clock_ms), clock_ms, held.longest * 1000, len(answer), frozenset(each["extensions"]["code"] for each in errors)
        )

    def _database_seconds(self) -> dict[str, float]:
        """Returns the processor time of each of PostgreSQL's processes that serve clients, in nanosecond resolution; psutil's is in ticks of 10 ms."""
        found = {}
        for pid in Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split():
            with suppress(OSError):
                if _OWN_WORK.search(Path(f"/proc/{pid}/cmdline").read_bytes()):
                    continue
                found[pid] = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
        return found


def _postmaster(url: str) -> int:
    """Returns PostgreSQL's main process, the parent of all others."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'").fetchone()
    assert row is not None
    return int((Path(row[0]) / "postmaster.pid").read_text().splitlines()[0])


class _Held:
    """Measures the longest time for which the event loop was blocked, in seconds of its thread's processor time."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.thread_time()

    def note(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            self.note()
