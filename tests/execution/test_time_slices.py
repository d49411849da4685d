"""Tests long work in slices: other tasks run between them, and many such works together block the event loop no longer than one."""

import asyncio
from time import perf_counter

from execution import time_slices
from execution.time_slices import pause, sliced


def busy(seconds: float) -> None:
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


async def work(done: list[str], name: str, times: int) -> None:
    for _ in range(times):
        await pause()
        busy(0.002)
        done.append(name)


async def test_others_have_their_turns_between_slices():
    done: list[str] = []
    working = asyncio.create_task(work(done, "work", 30))
    turns = 0
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(done) == 30
    # 60 ms of work, with an allowance of 5 ms per iteration.
    assert turns >= 8


async def test_many_tasks_share_the_allowance_of_an_iteration():
    done: list[str] = []
    working = [asyncio.create_task(work(done, str(number), 3)) for number in range(20)]
    most = before = 0
    while not all(each.done() for each in working):
        await asyncio.sleep(0)
        most, before = max(most, len(done) - before), len(done)
    assert len(done) == 60
    # Without the shared allowance each of the 20 would do a slice in every iteration.
    assert most <= 1 + time_slices._ALLOWANCE / 0.002 + 1


async def test_a_sequence_in_slices_is_whole_and_in_order():
    found = [list(some) async for some in sliced(range(10), 3)]
    assert found == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_a_loop_that_ended_while_work_was_put_off_leaves_nothing_behind():
    async def abandoned() -> None:
        working = asyncio.create_task(work([], "work", 1_000))
        await asyncio.sleep(0.02)
        working.cancel()

    for _ in range(2):
        asyncio.run(abandoned())
    done: list[str] = []
    asyncio.run(work(done, "after", 3))
    assert done == ["after"] * 3
