"""Shares one execution of a function among concurrent callers (single-flight)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Calls `run` once for all callers that arrive before it ends. All of them get its result or its exception.

    `min_interval` is the minimum time in seconds between the starts of two runs. Earlier callers wait for the next run instead of getting an old
    result, so a flood of calls, concurrent or consecutive, causes a bounded number of runs.
    """

    def __init__(self, run: Callable[[], Awaitable[T]], *, min_interval: float = 0.0) -> None:
        self._run = run
        self._min_interval = min_interval
        self._not_before = 0.0
        self._running: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._next())
        # The cancellation of one caller must not cancel the run for the others.
        return await asyncio.shield(self._running)

    def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()

    async def _next(self) -> T:
        loop = asyncio.get_running_loop()
        early = self._not_before - loop.time()
        if early > 0:
            await asyncio.sleep(early)
        self._not_before = loop.time() + self._min_interval
        return await self._run()
