"""Sends operations that are designed to be expensive: in their original size, and in the largest size that the cost limit allows."""

import asyncio
import time
from collections.abc import Callable

import orjson
import psycopg
from graphql import OperationDefinitionNode, parse

from benchmarks.abuse.probes import Answer, ask, probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request
from benchmarks.contest.load import percentile
from execution.documents.cost_analysis import check_cost
from execution.documents.limits import Limits
from schema import make_schema

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Expensive operations within the limits"
# Without a cost budget, which would end the attack after twenty of these operations.
SETTINGS = {"COST_PER_MINUTE": "0"}

_AT_ONCE = 6
_SECONDS = 12
_PATIENCE = 60.0
_READY = b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n"


def _reports(semesters: list[str], classes: int) -> str:
    aliases = " ".join(f'r{n}: semesterReports(semesterId: "{semesters[n % len(semesters)]}") {{ gpa }}' for n in range(8))
    return f"classes(first: {classes}) {{ nodes {{ {aliases} }} }}"


def _counts(lists: int) -> str:
    return " ".join(f'c{n}: grades(first: 0, filter: {{fromDate: "2025-09-{n + 1:02}"}}) {{ totalCount }}' for n in range(lists))


def _past(students: int) -> str:
    fields = 'classMembership { fromDate } balances { balance } attendanceSummary(fromDate: "2026-03-01", toDate: "2026-06-30") { days }'
    return f'students(first: {students}) {{ nodes {{ asOf(at: "2026-07-01T00:00:00Z") {{ {fields} }} }} }}'


def _marks(students: int) -> str:
    return (
        f"students(first: {students}) {{ nodes {{ attendance(first: 100) {{ nodes {{ id date status excused version createdAt }} }} }} }}"
    )


def _attacks(semesters: list[str]) -> dict[str, tuple[Callable[[int], str], int]]:
    """Returns for each attack a function from size to request body, and the attack's original size."""
    return {
        "semesterReports under 8 aliases": (lambda size: _reports(semesters, size), 100),
        "totalCount of empty pages": (_counts, 29),
        "asOf": (_past, 500),
        "attendance, all of it": (_marks, 500),
    }


def _largest(write: Callable[[int], str], most: int) -> int:
    """Returns the largest size that the cost limit allows; 0 if it allows none."""
    schema, limits = make_schema()._schema, Limits(cost=10**12)

    def cost(size: int) -> int:
        document = parse(f"{{ {write(size)} }}")
        (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        return check_cost(schema, document, operation, {}, limits)

    return max((size for size in range(1, most + 1) if cost(size) <= Limits().cost), default=0)


def _request(target: Target, body: str) -> bytes:
    return http_request("/graphql", orjson.dumps({"query": f"{{ {body} }}"}), target.tokens["ADMIN"])


async def _again_and_again(target: Target, request: bytes, until: float, answers: list[Answer]) -> None:
    while time.perf_counter() < until:
        answers.append(await ask(target, request, patience=_PATIENCE))


async def _ready(target: Target, until: float, answers: list[Answer]) -> None:
    while time.perf_counter() < until:
        answers.append(await ask(target, _READY))
        await asyncio.sleep(0.1)


async def measure(target: Target) -> list[Figure]:
    with psycopg.connect(target.database_url) as connection:
        rows = connection.execute("SELECT id FROM semesters WHERE start_date < '2026-11-01' ORDER BY start_date DESC").fetchall()
    figures, dearest = [], []
    for name, (write, size) in _attacks([f"sem_{row[0].hex}" for row in rows]).items():
        refused = await ask(target, _request(target, write(size)), patience=_PATIENCE)
        allowed = b"QUERY_TOO_COSTLY" not in refused.body
        figures.append(Figure(f"{name}, {size}: {'allowed' if allowed else 'refused'} after", refused.milliseconds, "ms", at_most=1_000))
        largest = _largest(write, size)
        request = _request(target, write(largest))
        alone = [await ask(target, request, patience=_PATIENCE) for _ in range(3)]
        figures.append(
            Figure(f"{name}, {largest}, alone (status {alone[-1].status})", min(each.milliseconds for each in alone), "ms", at_most=1_000)
        )
        dearest.append(request)
    async with probes(target) as probed:
        until = time.perf_counter() + _SECONDS
        ready: list[Answer] = []
        answers: list[Answer] = []
        together = [_again_and_again(target, dearest[n % len(dearest)], until, answers) for n in range(_AT_ONCE)]
        await asyncio.gather(_ready(target, until, ready), *together)
    return [
        *figures,
        *probed.figures(memory_at_most=500),
        Figure(f"/health/ready with {_AT_ONCE} at once, longest", max(each.milliseconds for each in ready), "ms", at_most=2_000),
        Figure(f"/health/ready with {_AT_ONCE} at once, not ready", sum(each.status != 200 for each in ready), "", at_most=0),
        Figure(f"the dearest, {_AT_ONCE} at once, p50", percentile([each.milliseconds for each in answers], 0.5), "ms"),
        Figure("the dearest that were answered", sum(each.status == 200 for each in answers), ""),
    ]
