"""Measures for how long after a revocation was committed other workers still accept what it revoked.

    DATABASE_URL=… python -m benchmarks.revocation_latency [--workers 3] [--rounds 500]

Each worker is a process that repeatedly authenticates a cached token. Another process changes the role of the token's user, and records when COMMIT
returned and when `wait_until_propagated` returned (only then does a mutation answer its client). A worker's gap is the time from either moment to the
start of its last request that still got the old role; above zero, a request that began after that moment was answered wrongly. Creates one user, and
deletes it.
"""

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.connection import Connection
from statistics import median, quantiles
from uuid import UUID, uuid4

from auth.authenticator import Authenticator
from auth.client_address import UNKNOWN_CLIENT
from config import load_settings
from db.embedded import database_url
from db.pool import Database
from db.production import refuse_production

__all__: list[str] = []


async def _watch(url: str, token: str, pipe: Connection, stop_at: float) -> None:
    """Sends, whenever the role of the token's user has changed, the start time of the last request that got the old role."""
    settings = load_settings()
    database = await Database.open(settings, url)
    authenticator = Authenticator(database, settings, url)
    await authenticator.start()
    role, last = "", 0.0
    while (began := time.monotonic()) < stop_at and not pipe.poll():
        found = (await authenticator.viewer(f"Bearer {token}")).role or ""
        if found != role:
            role = found
            pipe.send(last)
        last = began
        await asyncio.sleep(0)
    await authenticator.stop()
    await database.close()


def _worker(url: str, token: str, pipe: Connection, stop_at: float) -> None:
    asyncio.run(_watch(url, token, pipe, stop_at))


async def _measure(url: str, workers: int, rounds: int) -> tuple[list[float], list[float]]:
    settings = load_settings()
    database = await Database.open(settings, url)
    authenticator = Authenticator(database, settings, url)
    await authenticator.start()
    user_id: UUID = await database.fetchval(
        "INSERT INTO users (role, first_name, last_name, email) VALUES ('TEACHER', 'Gap', 'Bench', $1) RETURNING id", f"{uuid4().hex}@bench"
    )
    async with database.transaction() as connection:
        granted = await authenticator.sessions.open(connection, user_id, "TEACHER", UNKNOWN_CLIENT)
    stop_at = time.monotonic() + 300
    pipes: list[Connection] = []
    processes = []
    for _ in range(workers):
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=_worker, args=(url, granted.access_token, theirs, stop_at))
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        await asyncio.to_thread(pipe.recv)
    after_commit: list[float] = []
    after_answer: list[float] = []
    try:
        for number in range(rounds):
            await asyncio.sleep(0.002)
            await database.execute("UPDATE users SET role = $2 WHERE id = $1", user_id, ("BURSAR", "TEACHER")[number % 2])
            committed = time.monotonic()
            await authenticator.wait_until_propagated()
            answered = time.monotonic()
            for pipe in pipes:
                seen = await asyncio.to_thread(pipe.recv)
                after_commit.append((seen - committed) * 1000)
                after_answer.append((seen - answered) * 1000)
    finally:
        for pipe, process in zip(pipes, processes, strict=True):
            pipe.send("stop")
            process.join()
        await database.execute("DELETE FROM users WHERE id = $1", user_id)
        await authenticator.stop()
        await database.close()
    return after_commit, after_answer


def _say(name: str, gaps: list[float]) -> None:
    centiles = quantiles(gaps, n=100)
    wrong = sum(gap > 0 for gap in gaps)
    print(
        f"{name}: median {median(gaps):.2f} ms, 99 % within {centiles[98]:.2f} ms, longest {max(gaps):.2f} ms; "
        f"{wrong} of {len(gaps)} above zero"
    )


def main() -> None:
    """Runs the benchmark and prints the gaps."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.revocation_latency", description="Measures how long a revocation takes to be heard."
    )
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=500)
    options = parser.parse_args()
    with database_url(load_settings()) as url:
        refuse_production(url, load_settings(), "a benchmark")
        after_commit, after_answer = asyncio.run(_measure(url, options.workers, options.rounds))
    _say("after COMMIT returned", after_commit)
    _say("after the mutation answered", after_answer)


if __name__ == "__main__":
    main()
