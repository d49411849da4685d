"""Tunes the garbage collector and glibc's malloc for a server process that runs for weeks."""

import asyncio
import ctypes
import gc
from typing import Any

__all__ = ["freeze_gc", "trim_periodically", "tune_malloc"]

# Reference counting frees the objects of a request, and cycles can wait. Python's default of 700 is less than one page of rows: docs/performance.md.
# A rarer collection of the oldest generation, (10_000, 2, 200), let the cycles of 1,050 large documents grow to 500 MB and then held the event loop
# for 1.9 s at once; with these it is 129 MB and 73 ms (`make bench-abuse PARTS=documents`).
_COLLECT_AFTER = (10_000, 20, 20)

# From glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
# Above the size of responses, which are allocated a thousand times a second, and below the 19 MiB of a password hash.
_MMAP_ABOVE = 4 << 20
_TRIM_ABOVE = 8 << 20
# One for the event loop, and one for the threads that hash passwords.
_ARENAS = 2


def freeze_gc() -> None:
    """Excludes all objects that exist now from garbage collection. Call it once, when the server has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def tune_malloc() -> None:
    """Makes glibc return large freed blocks to the system. Does nothing with other C libraries.

    By default glibc's threshold grows with the largest block ever freed: after one sign-in the process would keep 19 MiB forever.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _MMAP_ABOVE)
        mallopt(_TRIM_THRESHOLD, _TRIM_ABOVE)
        mallopt(_ARENA_MAX, _ARENAS)


async def trim_periodically(every: float = 10.0) -> None:
    """Returns freed memory between allocated blocks to the system, every `every` seconds. Run it as a task.

    Takes 6 ms for 50 MiB in a separate thread, and nothing if nothing is free.
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
