"""Tests the limit of expensive operations: few run at once, the others wait in order, and the queue is bounded."""

import asyncio
from typing import Any

import pytest

from execution.errors import Refusal
from tests.transport.asgi_client import post
from tests.transport.graphql_endpoint import endpoint
from transport.expensive_operations import ExpensiveOperations


async def test_no_more_than_the_places_run_at_once_and_the_others_in_the_order_of_their_coming():
    expensive = ExpensiveOperations(2, above=100, within=60)
    running, most, began = 0, 0, []

    async def run(number: int) -> None:
        nonlocal running, most
        async with expensive.place():
            began.append(number)
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(run(number) for number in range(10)))
    assert most == 2
    assert began == list(range(10))
    assert expensive.waiting == 0


async def test_a_line_that_is_too_long_refuses_at_once():
    expensive = ExpensiveOperations(1, above=100, within=60, longest=2)
    async with expensive.place():
        waiting = [asyncio.create_task(expensive.place().__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await expensive.place().__aenter__()
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert refused.value.code == "OVERLOADED"
    assert refused.value.extensions["retryAfter"] > 0


async def test_who_waits_too_long_is_refused_and_leaves_no_gap():
    expensive = ExpensiveOperations(1, above=100, within=0.01)
    async with expensive.place():
        with pytest.raises(Refusal, match="expensive"):
            async with expensive.place():
                pass
    async with expensive.place():
        assert expensive.waiting == 0


async def test_a_client_that_leaves_the_line_leaves_no_gap():
    expensive = ExpensiveOperations(1, above=100, within=60)
    async with expensive.place():
        leaving = asyncio.create_task(expensive.place().__aenter__())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
    async with expensive.place():
        assert expensive.waiting == 0


async def test_flows_take_turns_and_one_of_them_cannot_fill_the_line():
    expensive, began = ExpensiveOperations(1, above=100, within=60, longest=4), []

    async def run(flow: str) -> None:
        async with expensive.place(flow):
            began.append(flow)
            await asyncio.sleep(0.001)

    many = [asyncio.create_task(run("many")) for _ in range(5)]
    await asyncio.sleep(0)
    few = asyncio.create_task(run("few"))
    results = await asyncio.gather(*many, few, return_exceptions=True)
    assert [getattr(each, "code", None) for each in results] == [None] * 4 + ["OVERLOADED", None]
    assert began == ["many", "many", "few", "many", "many"]
    assert (expensive.running, expensive.waiting) == (0, 0)


async def test_an_operation_that_waits_elsewhere_lets_another_have_its_place():
    expensive = ExpensiveOperations(1, above=100, within=60)
    async with expensive.place():
        with expensive.paused():
            async with expensive.place("another"):
                assert expensive.running == 1
        assert expensive.running == 1
    assert expensive.running == 0


async def test_an_operation_that_is_not_expensive_has_no_place_to_give_away():
    expensive = ExpensiveOperations(1, above=100, within=60)
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with expensive.place():
            entered.set()
            await leave.wait()

    holding = asyncio.create_task(hold())
    await entered.wait()
    with expensive.paused():
        assert expensive.running == 1
    leave.set()
    await holding
    assert expensive.running == 0


async def test_an_expensive_operation_gives_its_place_away_while_it_waits_elsewhere():
    expensive, release, began = ExpensiveOperations(1, above=20, within=60), asyncio.Event(), []

    async def execute(operation: Any) -> Any:
        began.append(operation.cost)
        with expensive.paused():
            await release.wait()
        return b'{"data":{}}'

    app = endpoint(execute=execute, expensive=expensive)
    large = [asyncio.create_task(post(app, "{ things(first: 50) { echo } }")) for _ in range(3)]
    while len(began) < 3:
        await asyncio.sleep(0)
    assert expensive.running == 0
    release.set()
    assert [each.status for each in await asyncio.gather(*large)] == [200] * 3
    assert expensive.running == 0


async def test_small_operations_pass_while_expensive_ones_wait():
    release, began = asyncio.Event(), []

    async def execute(operation: Any) -> Any:
        began.append(operation.cost)
        if operation.cost > 20:
            await release.wait()
        return b'{"data":{}}'

    app = endpoint(execute=execute, expensive=ExpensiveOperations(1, above=20, within=60))
    large = [asyncio.create_task(post(app, "{ things(first: 50) { echo } }")) for _ in range(3)]
    while not began:
        await asyncio.sleep(0)
    assert (await post(app, "{ things(first: 19) { echo } }")).status == 200
    assert began == [51, 20], "one expensive operation runs, two wait, the small one does not"
    release.set()
    assert [each.status for each in await asyncio.gather(*large)] == [200] * 3
