"""Measures whether small requests and health probes have to wait for large requests.

    python -m benchmarks.fairness [--seconds 5]

One connection requests the small screen and one /health/live, first alone, then while other connections repeatedly request 400 students with their
attendance. The server is one process on one core. A callback scheduled every millisecond on its event loop measures how long the loop was blocked.
"""

import argparse
import asyncio
import os
from typing import Any

from benchmarks.contest.contestants import BREADTH_FIRST, GRAPHQL_CORE, Contestant
from benchmarks.contest.load import Exchange, Outcome, in_turn, load, percentile, use_cores
from benchmarks.contest.run import Contest, contest, sign_in
from benchmarks.contest.screens import Screen, administrator_screens, growing_screens
from benchmarks.district_school import district

__all__ = ["main"]

_LARGE_CONNECTIONS = (0, 1, 4)
_LIVE = Exchange(
    b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n",
    fits=lambda body: body.startswith(b'{"status":"alive"'),
)


async def _together(running: Contest, name: str, small: Screen, large: Screen, connections: int, seconds: float) -> list[Outcome]:
    """Sends small requests, probes, and large requests on the given number of connections, all at the same time."""
    address = running.servers[name].address
    work = [load(address, in_turn(running.exchanges(name, small), 1), seconds=seconds), load(address, in_turn([_LIVE], 1), seconds=seconds)]
    if connections:
        work.append(load(address, in_turn(running.exchanges(name, large), connections), seconds=seconds))
    return await asyncio.gather(*work)


def _measured(running: Contest, contestants: list[Contestant], seconds: float) -> list[tuple[str, int, list[Outcome]]]:
    small, large = administrator_screens(running.url)[0], growing_screens()[-1]
    token = sign_in(running.servers[contestants[0].name], "admin@demo.school")
    running.compare(contestants, [small, large], token)
    found = []
    for contestant in contestants:
        for connections in _LARGE_CONNECTIONS:
            running.run(_together(running, contestant.name, small, large, connections, seconds / 4))
            found.append(
                (contestant.name, connections, running.run(_together(running, contestant.name, small, large, connections, seconds)))
            )
    return found


def _line(running: Contest, name: str, connections: int, outcomes: list[Outcome]) -> str:
    began, ended = min(each.began for each in outcomes), max(each.began + each.seconds for each in outcomes)
    held = sorted((seconds * 1000 for moment, seconds in running.servers[name].held() if began <= moment <= ended), reverse=True)
    texts = [_latency(each) for each in outcomes[:2]]
    large = f"{outcomes[2].per_second:5.1f}/s" if connections else "     –"
    return (
        f"{name:14} {connections:2} {large}  small {texts[0]}  live {texts[1]}"
        f"  held longest {held[0] if held else 0:6.1f}, above 20 ms {sum(each > 20 for each in held):4}, all in all {sum(held):7.0f}"
    )


def _latency(outcome: Outcome) -> str:
    values: Any = [each * 1000 for each in outcome.latencies]
    return f"{percentile(values, 0.5):6.1f} / {percentile(values, 0.99):6.1f} / {max(values):6.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fairness", description="Measures how long small requests wait for large ones."
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    contestants = [GRAPHQL_CORE, BREADTH_FIRST]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    with district() as url, contest(url, str(cores[0]) if len(cores) > 1 else "") as running:
        for each in contestants:
            running.start(each, ticks=True)
        if len(cores) > 1:
            use_cores(cores[1:])
        found = _measured(running, contestants, options.seconds)
        running.stop()
        print(
            "executor, connections with large requests, large requests/s; p50 / p99 / longest in ms; how long the event loop was held, ms"
        )
        for name, connections, outcomes in found:
            print(_line(running, name, connections, outcomes))


if __name__ == "__main__":
    main()
