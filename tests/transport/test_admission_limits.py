"""Tests how the limits adapt: the queue to the service rate, and the running operations to the event loop's lag."""

import asyncio

from tests.transport.blocking_endpoint import Blocked, ended, settle
from transport.admission import Admission


async def test_the_queue_is_as_long_as_can_be_served_in_half_a_second():
    """Checks that 50 operations may wait at a rate of 100 per second, and the minimum at 10 per second."""

    async def room_at(rate, served=200):
        controlled = Admission(1, 3_600, shortest=10, longest=1_000)
        assert controlled.take()
        tasks = [asyncio.create_task(controlled.wait(n)) for n in range(10)]
        await settle()
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        now = [began]
        loop_time, loop.time = loop.time, lambda: now[0]
        try:
            for n in range(served):
                now[0] += 1 / rate
                controlled.leave()
                tasks.append(asyncio.create_task(controlled.wait(n + 100)))
                await settle()
        finally:
            loop.time = loop_time
        found = controlled._room
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    assert await room_at(100) in range(45, 56)
    assert await room_at(10) == 10
    assert await room_at(100_000) == 1_000


async def test_fewer_operations_run_while_they_hold_up_the_event_loop_and_more_again_after():
    controlled = Admission(20, 60)
    blocked = Blocked(controlled)
    tasks = [blocked.send(str(n)) for n in range(60)]
    await settle()
    assert len(blocked.running) == 20
    assert controlled._lag_check is not None, "the event loop is looked at while operations wait"
    now = asyncio.get_running_loop().time

    def look(late):
        controlled._lag_check.cancel()
        controlled._adapt(now() - late)

    look(1.0)
    assert controlled.limit == 15
    for _ in range(10):
        look(1.0)
    assert controlled.limit == 8, "never fewer"
    while len(blocked.running) > 8:
        await blocked.release()
    await blocked.release()
    assert len(blocked.running) == 8, "one begins for each that ends"
    for more in range(1, 13):
        for _ in range(10):
            look(-1.0)
        await settle()
        assert controlled.limit == len(blocked.running) == 8 + more
    look(-1.0)
    assert controlled.limit == 20
    while blocked.running:
        await blocked.release()
    assert await ended(tasks) == [200] * 60
    look(-1.0)
    assert controlled._lag_check is None, "nobody looks at an idle server"


async def test_the_limit_grows_without_an_operation_more_while_more_than_the_limit_run():
    controlled = Admission(20, 60)
    for _ in range(20):
        assert controlled.take()
    waiting = [asyncio.create_task(controlled.wait(n)) for n in range(10)]
    await settle()
    controlled._adapt(asyncio.get_running_loop().time() - 1.0)
    for _ in range(30):
        controlled._adapt(asyncio.get_running_loop().time() + 1.0)
    await settle()
    assert (controlled.limit, controlled.running, controlled.waiting) == (18, 20, 10)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    controlled._lag_check.cancel()
