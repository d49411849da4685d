"""More requests than the server can answer, sent on a schedule whether or not it does."""

import asyncio

from benchmarks.abuse.probes import probes
from benchmarks.abuse.target import Figure, Target

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Five times more requests than the server can answer"
SETTINGS: dict[str, str] = {}


async def measure(target: Target) -> list[Figure]:
    async with probes(target) as probed:
        await asyncio.sleep(2)
    return probed.figures()
