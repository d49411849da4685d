"""Measures the response times of the guarded health routes on the district school.

python -m benchmarks.health
"""

import asyncio
import statistics
import time

from benchmarks.district_school import district
from config import Settings
from db.pool import Database
from health.checks import Health

__all__ = ["main"]

ROUNDS = 40


async def measure(url: str) -> None:
    settings = Settings(environment="test")
    database = await Database.open(settings, url)
    health = Health(database, url, settings)
    try:
        for name, ask in (
            ("/health/ready", health.not_ready_reason),
            ("/health/detailed", health.detailed),
            ("/health/database", health.database),
        ):
            times = []
            for n in range(-2, ROUNDS):  # the first rounds warm up
                began = time.perf_counter()
                await ask()
                if n >= 0:
                    times.append((time.perf_counter() - began) * 1000)
            print(f"{name:18} median {statistics.median(times):6.1f} ms, slowest of {ROUNDS} {max(times):6.1f} ms")
    finally:
        await database.close()


def main() -> None:
    with district() as url:
        asyncio.run(measure(url))


if __name__ == "__main__":
    main()
