"""Tests that concurrent callers of a check share one run."""

import asyncio

import pytest

from health.single_flight import SingleFlight


class Check:
    """Counts its runs, each of which ends when the test releases it."""

    def __init__(self):
        self.begun = []
        self.may_end = asyncio.Event()

    async def __call__(self):
        self.begun.append(asyncio.get_running_loop().time())
        await self.may_end.wait()
        return len(self.begun)


async def test_who_asks_while_it_runs_gets_the_same_answer():
    check = Check()
    shared = SingleFlight(check)
    asked = [asyncio.create_task(shared()) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(check.begun) == 1
    asked[0].cancel()  # the caller that started the run is cancelled
    check.may_end.set()
    assert await asyncio.gather(*asked[1:]) == [1] * 49
    assert await shared() == 2, "who asks after it gets no old answer"


async def test_runs_begin_apart_however_often_one_asks():
    check = Check()
    check.may_end.set()
    shared = SingleFlight(check, min_interval=0.1)
    assert [await shared() for _ in range(4)] == [1, 2, 3, 4]
    gaps = [later - sooner for sooner, later in zip(check.begun, check.begun[1:], strict=False)]
    assert min(gaps) >= 0.099


async def test_all_get_the_failure_and_the_next_run_is_a_new_one():
    answers = [ValueError("broken"), "whole"]

    async def check():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = SingleFlight(check)
    assert [str(each) for each in await asyncio.gather(shared(), shared(), return_exceptions=True)] == ["broken", "broken"]
    assert await shared() == "whole"


async def test_stopping_ends_what_runs():
    check = Check()
    shared = SingleFlight(check)
    shared.stop()
    asked = asyncio.create_task(shared())
    await asyncio.sleep(0)
    shared.stop()
    with pytest.raises(asyncio.CancelledError):
        await asked
