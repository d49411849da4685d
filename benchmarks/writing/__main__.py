"""Measures how many registers and payments per second a server accepts from 1 and 20 writers, and how long a register of 300 students takes.

    python -m benchmarks.writing [--seconds 4] [--rounds 3]

Teachers and a bursar who are signed in write over HTTP to a temporary copy of the district school. The server is one process on one core, PostgreSQL
may use both cores, and every transaction is on disk when it is answered.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.contest.contestants import BREADTH_FIRST
from benchmarks.contest.load import Exchange, Outcome, load, percentile, use_cores
from benchmarks.contest.processes import Server, database_cpu_seconds
from benchmarks.contest.run import Contest, contest
from benchmarks.district_school import SEED_DATE, district
from benchmarks.writing.database_copies import copied, tokens
from benchmarks.writing.large_register import measured_large, own_teacher, prepared_large, summary
from benchmarks.writing.payments import owed, payments
from benchmarks.writing.registers import Place, places, registers
from db.books import check_books_of

__all__ = ["books", "main"]

_WRITERS = (1, 20)
_PLACES = 4

# (number of writers) -> a sequence of mutations for each of them; no two writers share any
Writers = Callable[[int], list[Iterator[Exchange]]]


def _who(url: str, taken: Sequence[Place], others: Sequence[UUID]) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        [(admin, bursar)] = connection.execute(
            "SELECT (SELECT id FROM users WHERE email = 'admin@demo.school'), (SELECT id FROM users WHERE email = 'bursar@demo.school')"
        ).fetchall()
    users = {place.user_id: "TEACHER" for place in taken} | dict.fromkeys(others, "TEACHER") | {admin: "ADMIN", bursar: "BURSAR"}
    return {"admin": admin, "bursar": bursar, "tokens": asyncio.run(tokens(url, list(users.items())))}


def _rates(running: Contest, server: Server, name: str, writers: Writers, rounds: int, seconds: float) -> Iterator[str]:
    """Measures the rate for each number of writers alternately."""
    found: dict[int, list[Outcome]] = {count: [] for count in _WRITERS}
    used: dict[int, list[tuple[float, float]]] = {count: [] for count in _WRITERS}
    for n in range(-1, rounds):  # the first warms up
        for count in _WRITERS:
            server_cpu, database_cpu = server.cpu_seconds(), database_cpu_seconds(running.url) or 0.0
            outcome = running.run(load(server.address, writers(count), seconds=seconds if n >= 0 else seconds / 4))
            if n >= 0:
                found[count].append(outcome)
                used[count].append((server.cpu_seconds() - server_cpu, (database_cpu_seconds(running.url) or 0.0) - database_cpu))
    for count, outcomes in found.items():
        times = [each * 1000 for outcome in outcomes for each in outcome.latencies]
        rates = [outcome.per_second for outcome in outcomes]
        server_cpu, database_cpu = (sum(each[which] for each in used[count]) / len(times) * 1000 for which in (0, 1))
        yield (
            f"{name}, {count:2} writers: {median(rates):7.1f} a second (rounds {min(rates):.1f} to {max(rates):.1f}),"
            f" each median {percentile(times, 0.5):.1f} ms, 99 % within {percentile(times, 0.99):.1f} ms, {len(times)} in all;"
            f" CPU for each {server_cpu:.1f} ms of the server, {database_cpu:.1f} ms of PostgreSQL"
        )


def _measured(running: Contest, rounds: int, seconds: float) -> Iterator[str]:
    server = running.start(BREADTH_FIRST)
    most = (rounds + 1) * sum(_WRITERS) * _PLACES
    taken = iter(known := places(running.url, most, SEED_DATE))
    who = _who(running.url, known, [own_teacher(running.url)[1]])

    def register_writers(count: int) -> list[Iterator[Exchange]]:
        return [registers([next(taken) for _ in range(_PLACES)], who["tokens"]) for _ in range(count)]

    yield from _rates(running, server, "registers of 25", register_writers, rounds, seconds)
    charges = iter(owed(running.url))

    def payment_writers(count: int) -> list[Iterator[Exchange]]:
        return [payments(charges, who["tokens"][who["bursar"]]) for _ in range(count)]

    yield from _rates(running, server, "payments", payment_writers, rounds, seconds)
    large = prepared_large(running, server.address, who["tokens"][who["admin"]])
    for title, times in measured_large(running, server.address, large, who["tokens"][large.user_id]).items():
        yield f"a register of 300, {title}: {summary(times)}"
    yield books(running.url)


def books(url: str) -> str:
    """Checks that the school's records are still consistent, and ends the run if they are not."""
    with psycopg.connect(url) as connection:
        broken = [each for each in check_books_of(connection) if each.broken]
    if broken:
        raise SystemExit(f"the books do not add up: {broken}")
    return "The books add up after all of it."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writing", description="Measures registers and payments.")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    with district() as url, copied(url) as copy, contest(copy, str(cores[0]) if len(cores) > 1 else "") as running:
        if len(cores) > 1:
            use_cores(cores[1:])
        for line in _measured(running, options.rounds, options.seconds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
