"""One run of a check for all who ask for it at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs `run` for whoever calls, once for all who call before it ends. They get its value, or its exception.

    `min_interval`: seconds from the beginning of one run to that of the next. Who calls sooner waits for the next, and gets no old answer: a flood of
    calls costs a bounded number of runs, one after the other as well as at once.
    """

    def __init__(self, run: Callable[[], Awaitable[T]], *, min_interval: float = 0.0) -> None:
        self._run = run
        self._min_interval = min_interval
        self._not_before = 0.0
        self._running: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._next())
        # Who goes away does not take the run away from the others.
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
