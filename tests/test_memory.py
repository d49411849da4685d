"""What the process gives back, in processes of their own: what one has done with its memory cannot be undone in it."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

_HAS_MALLOPT = hasattr(ctypes.CDLL(None), "mallopt")
_SIGNED_IN = """
import memory, psutil
from concurrent.futures import ThreadPoolExecutor
from auth.passwords import _HASHER
{first}
own = psutil.Process()
with ThreadPoolExecutor(2) as threads:
    before = own.memory_info().rss
    for _ in range(3):
        list(threads.map(_HASHER.hash, ["one", "two"]))
    print((own.memory_info().rss - before) // 2**20)
"""


def grown(first: str) -> int:
    """By how many MiB a process is larger after it has hashed passwords."""
    done = subprocess.run(
        [sys.executable, "-c", _SIGNED_IN.format(first=first)], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not _HAS_MALLOPT, reason="the C library is not glibc")
def test_what_a_sign_in_needs_for_a_moment_goes_back_to_the_system():
    assert grown("memory.give_back()") < 8
    assert grown("") > 16, "glibc gives it back by itself: give_back() may go"
