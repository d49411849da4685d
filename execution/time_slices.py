"""Splits long work on the event loop into slices, between which everything else that is ready runs.

All tasks share one allowance for each iteration of the loop: thirty that are ready at once hold it no longer than one does.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from time import perf_counter
from typing import TypeVar

__all__ = ["pause", "sliced"]

T = TypeVar("T")

# Seconds of long work in one iteration of the loop.
_ALLOWANCE = 0.005


class _Iteration:
    """Measures the current iteration of the event loop, from its first long work on. A process has one loop at a time."""

    def __init__(self) -> None:
        self._began = 0.0
        self._marking: asyncio.AbstractEventLoop | None = None

    def is_spent(self) -> bool:
        return perf_counter() - self._began > _ALLOWANCE

    def mark_the_next(self) -> None:
        """Has the next iteration's start noted before anything that waits for it runs."""
        loop = asyncio.get_running_loop()
        if self._marking is not loop:
            self._marking = loop
            loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._began = perf_counter()
        self._marking = None


_iteration = _Iteration()


async def pause() -> None:
    """Waits for the next iteration of the loop if the allowance of this one is spent."""
    while _iteration.is_spent():
        _iteration.mark_the_next()
        await asyncio.sleep(0)


async def sliced(items: Sequence[T], size: int) -> AsyncIterator[Iterator[T]]:
    """Yields the items in slices of this size, with a pause before each."""
    for start in range(0, len(items), size):
        await pause()
        yield iter(items[start : start + size])
