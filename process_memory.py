"""How a process that serves for weeks uses its memory: what the garbage collector looks through, what goes back to the system."""

import asyncio
import ctypes
import gc
from typing import Any

__all__ = ["freeze_gc", "trim_periodically", "tune_malloc"]

# A request's objects go with its last reference; what is in circles can wait. Python's own 700 objects are a part of one page: see docs/performance.md.
_COLLECT_AFTER = (10_000, 20, 20)

# From glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
# Above every answer's texts, which are made and gone a thousand times a second, and below the 19 MiB that a password's hash takes for a moment.
_BORROWED_ABOVE = 4 << 20
_KEPT_FREE = 8 << 20
# The event loop's, and one for the threads that hash passwords.
_ARENAS = 2


def freeze_gc() -> None:
    """Says that what is here now stays: the collector need not look through it again and again. To be called once, when the server is up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def tune_malloc() -> None:
    """Makes large pieces of memory go back to the system when they are free, where the C library is glibc; elsewhere nothing happens.

    glibc's own measure grows with the largest piece that was ever freed: after one sign-in, 19 MiB stay with the process for ever.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _BORROWED_ABOVE)
        mallopt(_TRIM_THRESHOLD, _KEPT_FREE)
        mallopt(_ARENA_MAX, _ARENAS)


async def trim_periodically(every: float = 10.0) -> None:
    """Gives back, every so many seconds, what many large answers at once have left free between smaller pieces: run it as a task.

    It takes 6 ms for 50 MiB, beside the event loop, and nothing where nothing is free.
    """
    trim = _glibc_function("malloc_trim")
    while trim is not None:
        await asyncio.sleep(every)
        await asyncio.to_thread(trim, 0)


def _glibc_function(name: str) -> Any:
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
