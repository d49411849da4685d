"""More requests than the server can answer, sent on a schedule whether or not it does."""

from itertools import cycle

import orjson

from benchmarks.abuse.arrivals import Arrivals, arrive
from benchmarks.abuse.probes import ask, probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request
from benchmarks.contest.load import Exchange, in_turn, load, percentile
from benchmarks.contest.screens import Screen, administrator_screens

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Five times more requests than the server can answer"
# What one viewer may ask for in a minute is another part's subject; here the arrivals of a whole school come with one token.
SETTINGS: dict[str, str] = {"COST_PER_MINUTE": "0"}
_TIMES = 5
_SECONDS = 8.0
# Answers are counted from here on: the first second fills the queue.
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
    async with probes(target) as probed:
        arrivals = await arrive(target.address, cycle(requests), rate=_TIMES * peak, seconds=_SECONDS)
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
        Figure(f"{screen.kind}: the load generator was behind by at most", arrivals.behind * 1000, "ms"),
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


async def _peak(target: Target, requests: list[bytes]) -> float:
    """Answers a second that the server gives to 32 connections which wait for theirs."""
    exchanges = [Exchange(each, fits=lambda body: not body.startswith(b'{"errors"')) for each in requests]
    for each in requests:
        await ask(target, each)
    await load(target.address, in_turn(exchanges, 32), seconds=1.0)
    return (await load(target.address, in_turn(exchanges, 32), seconds=4.0)).per_second


def _share(arrivals: Arrivals, status: int) -> float:
    return 100 * sum(each[2] == status for each in arrivals.answers) / max(len(arrivals.answers), 1)


def _wrong(arrivals: Arrivals) -> int:
    return sum(status != 200 and not (status == 503 and retry) for _, _, status, retry in arrivals.answers)
