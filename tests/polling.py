"""Waits until another task, thread, process or connection makes a condition true, and fails if it does not in time."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

__all__ = ["block_until", "until"]

_INTERVAL = 0.01


async def until(condition: Callable[[], Any], within: float = 15) -> None:
    """Waits on the event loop, for at most `within` seconds. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(_INTERVAL)


def block_until(condition: Callable[[], Any], within: float = 60) -> None:
    """Blocks this thread, for at most `within` seconds. Raises TimeoutError."""
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not true after {within} seconds: {condition}")
        time.sleep(_INTERVAL)
