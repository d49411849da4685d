"""Sends more requests than the server can answer, on a schedule that does not depend on the responses."""

import asyncio

import orjson

from benchmarks.abuse.open_loop import Arrivals, Schedule, arrive
from benchmarks.abuse.probes import ask, probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request
from benchmarks.contest.load import Exchange, in_turn, load, percentile
from benchmarks.contest.processes import database_cpu_seconds
from benchmarks.contest.screens import Screen, administrator_screens

__all__ = ["NOTE", "SETTINGS", "TITLE", "measure"]

TITLE = "Five times more requests than the server can answer"
NOTE = (
    "The load is open-loop: a request is sent when it is due, answered or not, and its time counts from then. It comes from a process of its own over"
    " 1,000 kept connections that are open before, and up to 500 more when none of them is idle; beyond those, a request counts as not answered."
    " The first two of the eight seconds, which fill the queue, do not count for what is accepted. The generator and the probes are not on"
    " the core of the worker. PostgreSQL is on all cores, so that its share, the worker's and the generator's together show whether the machine is the limit."
)
# Without a cost budget, because one token stands for a whole school here; the budget has its own part.
SETTINGS: dict[str, str] = {"COST_PER_MINUTE": "0"}
_TIMES = 5
_SECONDS = 8.0
# Responses are counted only after this time, because the first second fills the queue.
_SKIP = 2.0
_KEPT = {"large": 0.8, "medium": 0.6}


async def measure(target: Target) -> list[Figure]:
    figures = []
    for screen in administrator_screens(target.database_url)[::-1]:
        if screen.kind in _KEPT:
            figures += await _measured(target, screen)
    return figures


async def _measured(target: Target, screen: Screen) -> list[Figure]:
    bodies = [orjson.dumps({"query": screen.document, "variables": each}) for each in screen.variables]
    requests = [http_request("/graphql", body, target.tokens["ADMIN"]) for body in bodies]
    peak = await _peak(target, requests)
    cores = _Cores(target)

    def begin() -> None:
        # Discards the probes' results while connections were being opened, before the overload began.
        probed.forget()
        cores.begin(_SECONDS)

    async with probes(target) as probed:
        arrivals = await arrive(target.address, requests, Schedule(_TIMES * peak, _SECONDS), on_open=begin)
    kept = arrivals.goodput(_SKIP) / peak
    accepted = [each * 1000 for each in arrivals.accepted()]
    live = [each.milliseconds for each in probed.live]
    return [
        Figure(f"{screen.kind}: answers a second, closed loop with 32 connections", peak, "/s"),
        Figure(f"{screen.kind}: arrivals a second", _TIMES * peak, "/s"),
        Figure(f"{screen.kind}: accepted, of the closed loop's answers", 100 * kept, "%", at_least=100 * _KEPT[screen.kind]),
        Figure(f"{screen.kind}: accepted, median", percentile(accepted, 0.5), "ms"),
        Figure(f"{screen.kind}: accepted, p99", percentile(accepted, 0.99), "ms", at_most=1_000),
        Figure(f"{screen.kind}: refused", _share(arrivals, 503), "%"),
        Figure(f"{screen.kind}: refused, p99", percentile([each[1] * 1000 for each in arrivals.answers if each[2] == 503], 0.99), "ms"),
        Figure(f"{screen.kind}: answers other than 200, and 503 with Retry-After", _wrong(arrivals), "", at_most=0),
        Figure(f"{screen.kind}: not answered", arrivals.unanswered, "", at_most=0),
        Figure(f"{screen.kind}: connections that were opened meanwhile, beside 1,000", arrivals.opened, ""),
        Figure(f"{screen.kind}: the load generator was behind by at most", arrivals.behind * 1000, "ms"),
        Figure(f"{screen.kind}: the load generator took of its core", 100 * arrivals.core, "%"),
        Figure(f"{screen.kind}: PostgreSQL took, in all (100 %: one core)", 100 * cores.database, "%"),
        Figure(f"{screen.kind}: the worker took of its core", 100 * cores.worker, "%"),
        Figure(f"{screen.kind}: /health/live meanwhile, p99", percentile(live, 0.99), "ms", at_most=100),
        Figure(f"{screen.kind}: /health/live meanwhile, longest", max(live), "ms"),
        Figure(
            f"{screen.kind}: another viewer's small query meanwhile, p95",
            percentile([each.milliseconds for each in probed.small], 0.95),
            "ms",
            at_most=500,
        ),
        Figure(
            f"{screen.kind}: another viewer's small queries meanwhile, refused",
            sum(each.status != 200 for each in probed.small),
            "",
            at_most=0,
        ),
        Figure(f"{screen.kind}: memory of the worker, most", probed.memory, "MB", at_most=300),
    ]


class _Cores:
    """Measures the share of a core that the worker and PostgreSQL used during an interval."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._before = (0.0, 0.0)
        self.worker = self.database = 0.0

    def begin(self, seconds: float) -> None:
        """Reads the processor times now, and again after the given number of seconds."""
        self._before = self._seconds()
        asyncio.get_running_loop().call_later(seconds, self._end, seconds)

    def _end(self, seconds: float) -> None:
        self.worker, self.database = ((after - before) / seconds for before, after in zip(self._before, self._seconds(), strict=True))

    def _seconds(self) -> tuple[float, float]:
        return self._target.server.cpu_seconds(), database_cpu_seconds(self._target.database_url) or 0.0


async def _peak(target: Target, requests: list[bytes]) -> float:
    """Returns the number of responses per second that 32 closed-loop connections get."""
    exchanges = [Exchange(each, fits=lambda body: not body.startswith(b'{"errors"')) for each in requests]
    for each in requests:
        await ask(target, each)
    await load(target.address, in_turn(exchanges, 32), seconds=1.0)
    return (await load(target.address, in_turn(exchanges, 32), seconds=4.0)).per_second


def _share(arrivals: Arrivals, status: int) -> float:
    return 100 * sum(each[2] == status for each in arrivals.answers) / max(len(arrivals.answers), 1)


def _wrong(arrivals: Arrivals) -> int:
    return sum(status != 200 and not (status == 503 and retry) for _, _, status, retry in arrivals.answers)
