"""Waits for rows that another transaction has locked, without holding a connection while waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from random import uniform
from typing import TypeVar

__all__ = ["RowLockedError", "jitter", "retry_while_locked"]

T = TypeVar("T")

_MIN_BACKOFF = 0.002
_MAX_BACKOFF = 0.05


class RowLockedError(Exception):
    """Raised inside a transaction to end it, because another transaction has locked a row (`FOR UPDATE SKIP LOCKED` returned none)."""


async def retry_while_locked(work: Callable[[], Awaitable[T]], within: float = 5.0) -> T:
    """Calls `work`, which acquires its own connection, until it does not raise RowLockedError. Raises it after `within` seconds.

    A transaction that waits for a lock occupies its connection. Between these attempts no connection is held.
    """
    deadline = asyncio.get_running_loop().time() + within
    backoff = _MIN_BACKOFF
    while True:
        try:
            return await work()
        except RowLockedError:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(jitter(_MIN_BACKOFF, backoff))
        backoff = min(backoff * 2, _MAX_BACKOFF)


def jitter(shortest: float, longest: float) -> float:
    """Returns a random pause in seconds, so that callers that were refused at the same time retry at different times."""
    return uniform(shortest, longest)  # noqa: S311 - not used for security
