"""Rows that another transaction has locked: waited for without a connection in hand."""

import asyncio
from collections.abc import Awaitable, Callable
from random import uniform
from typing import TypeVar

__all__ = ["RowLockedError", "jitter", "retry_while_locked"]

T = TypeVar("T")

_SHORTEST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05


class RowLockedError(Exception):
    """A row is locked by another transaction (`FOR UPDATE SKIP LOCKED` gave none): raised inside a transaction, to end it."""


async def retry_while_locked(work: Callable[[], Awaitable[T]], within: float = 5.0) -> T:
    """Runs `work`, which borrows its own connection, again while it raises RowLockedError; raises that after `within` seconds.

    A transaction that waits for a lock keeps its connection from everybody else. Between these tries nothing is held.
    """
    deadline = asyncio.get_running_loop().time() + within
    longest = _SHORTEST_PAUSE
    while True:
        try:
            return await work()
        except RowLockedError:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(jitter(_SHORTEST_PAUSE, longest))
        longest = min(longest * 2, _LONGEST_PAUSE)


def jitter(shortest: float, longest: float) -> float:
    """A pause of random length, in seconds: two that were turned away together come back apart."""
    return uniform(shortest, longest)  # noqa: S311 - nothing secret depends on it
