"""Tests the fair queue: who is next, who waits, and who is evicted."""

import asyncio
from collections.abc import Hashable

import pytest

from auth.fair_queue import FairQueue
from execution.errors import Refusal


class Line:
    """Wraps a queue whose slots the test releases; `order` has the names of those that got one, in order."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def comes(self, name: str, flow: Hashable, group: Hashable, *, lane: int = 2) -> None:
        self._ends[name] = asyncio.Event()

        async def work() -> None:
            async with self.queue.slot(flow, group, lane=lane):
                self.order.append(name)
                await self._ends[name].wait()

        self.tasks[name] = asyncio.create_task(work())
        await asyncio.sleep(0)

    async def ends(self, name: str) -> None:
        self._ends[name].set()
        await self.tasks[name]
        await _settled()

    async def all_end(self) -> list[str]:
        """Releases slots until nobody waits; returns the order in which slots were granted."""
        done = 0
        while done < len(self.order):
            await self.ends(self.order[done])
            done += 1
        return self.order


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_are_at_work_than_there_are_slots() -> None:
    line = Line(FairQueue(2))
    for number in range(5):
        await line.comes(f"{number}", number, "network")
    assert line.order == ["0", "1"]
    assert line.queue.waiting == 3
    await line.ends("0")
    assert line.order == ["0", "1", "2"]
    assert await line.all_end() == ["0", "1", "2", "3", "4"]
    assert line.queue.waiting == 0


async def test_groups_take_turns_however_many_one_of_them_sends() -> None:
    line = Line(FairQueue(1))
    for number in range(4):
        await line.comes(f"flood {number}", number, "flood")
    await line.comes("home", "home", "home")
    await line.comes("school", "school", "school")
    assert await line.all_end() == ["flood 0", "flood 1", "home", "school", "flood 2", "flood 3"]


async def test_within_a_group_flows_take_turns() -> None:
    line = Line(FairQueue(1))
    for number in range(4):
        await line.comes(f"guess {number}", "victim", "school")
    await line.comes("pupil", "pupil", "school")
    assert await line.all_end() == ["guess 0", "guess 1", "pupil", "guess 2", "guess 3"]


async def test_of_one_flow_one_is_at_work_at_a_time() -> None:
    line = Line(FairQueue(3))
    for number in range(3):
        await line.comes(f"{number}", "account", "network")
    await line.comes("other", "other", "network")
    assert line.order == ["0", "other"]
    assert await line.all_end() == ["0", "other", "1", "2"]


async def test_lanes_have_their_turns_and_none_is_shut_out() -> None:
    line = Line(FairQueue(1))
    for number in range(8):
        for lane in range(3):
            await line.comes(f"{lane}.{number}", object(), "network", lane=lane)
    # The first one came when the queue was empty.
    order = "".join(name[0] for name in await line.all_end())
    assert order[0] == "0"
    assert order[:9].count("0") == 7
    assert order[:9].count("1") == order[:9].count("2") == 1
    # An empty lane passes its turns to the first lane that is not empty.
    assert order.rindex("0") < order.rindex("1") < order.rindex("2")
    assert order.count("0") == order.count("1") == order.count("2") == 8


async def test_who_leaves_the_line_takes_nobodys_slot() -> None:
    line = Line(FairQueue(1))
    for number in range(4):
        await line.comes(f"{number}", number, "network")
    line.tasks["1"].cancel()
    await _settled()
    assert line.queue.waiting == 2
    # Also at the moment at which the slot is granted.
    line.queue.release(0)
    line.tasks["2"].cancel()
    await _settled()
    assert line.order == ["0", "3"]
    # Also if the next waiter has been cancelled but has not run since.
    await line.comes("4", 4, "network")
    await line.comes("5", 5, "network")
    line.tasks["4"].cancel()
    line.queue.release(3)
    await _settled()
    assert line.order == ["0", "3", "5"]
    assert line.queue.waiting == 0


async def test_who_has_waited_long_enough_is_refused() -> None:
    line = Line(FairQueue(1, timeout=0.01))
    await line.comes("at work", 1, "network")
    with pytest.raises(Refusal) as refusal:
        await line.queue.acquire(2, "network")
    assert refusal.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert line.queue.waiting == 0


async def test_a_full_lane_costs_the_largest_group_its_newest_and_nobody_else() -> None:
    line = Line(FairQueue(1, max_waiting=3))
    await line.comes("at work", "x", "x")
    for number in range(3):
        await line.comes(f"flood {number}", number, "flood")
    with pytest.raises(Refusal):
        await line.queue.acquire("more", "flood")
    await line.comes("home", "home", "home")
    with pytest.raises(Refusal):
        await line.tasks["flood 2"]
    # The other lane has its own limit.
    await line.comes("known", "known", "flood", lane=0)
    assert await line.all_end() == ["at work", "known", "flood 0", "home", "flood 1"]
