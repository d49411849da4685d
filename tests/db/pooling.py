"""What the tests of the pool share."""

import asyncio

from config import Settings

__all__ = ["settings", "until"]


async def until(condition, within=15):
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


def settings(**given):
    return Settings(environment="test", **given)
