"""Tests which memory the process returns to the system, in separate processes, because a process's memory settings cannot be reset."""

import asyncio
import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

import process_memory

_SIGNED_IN = """
import process_memory, psutil
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
_ANSWERED = """
import asyncio, process_memory, psutil
own = psutil.Process()

async def main():
    process_memory.tune_malloc()
    before = own.memory_info().rss
    answers = [bytearray(300_000 + number) for number in range(300)]
    kept = answers[::60]
    del answers
    looking = asyncio.create_task({what})
    await asyncio.sleep(0.5)
    looking.cancel()
    return (own.memory_info().rss - before) // 2**20

print(asyncio.run(main()))
"""
_GLIBC = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")


def printed_by(program: str) -> int:
    """Runs a program and returns the number that it prints: by how many MiB its process has grown."""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    return int(done.stdout)


@_GLIBC
def test_what_a_sign_in_needs_for_a_moment_goes_back_to_the_system():
    assert printed_by(_SIGNED_IN.format(first="process_memory.tune_malloc()")) < 8
    assert printed_by(_SIGNED_IN.format(first="")) > 16, "glibc gives it back by itself: tune_malloc() may go"


@_GLIBC
def test_what_answers_have_left_between_smaller_pieces_goes_back_to_the_system():
    assert printed_by(_ANSWERED.format(what="process_memory.trim_periodically(every=0.1)")) < 16
    assert printed_by(_ANSWERED.format(what="asyncio.sleep(1)")) > 40, "glibc gives it back by itself: trim_periodically() may go"


async def test_elsewhere_there_is_nothing_to_do(monkeypatch):
    monkeypatch.setattr("process_memory._glibc_function", lambda name: None)
    process_memory.tune_malloc()
    await asyncio.wait_for(process_memory.trim_periodically(), 5)
