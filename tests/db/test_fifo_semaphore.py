"""Tests FifoSemaphore: it never grants more permits than it has, in the order of requests, even if waiters are cancelled."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.fifo_semaphore import FifoSemaphore


async def rest():
    """Runs the event loop until no task can proceed."""
    for _ in range(4):
        await asyncio.sleep(0)


STEPS = st.lists(
    st.one_of(
        st.just(("take",)), st.just(("wait",)), st.just(("give",)), st.just(("rest",)), st.tuples(st.just("cancel"), st.integers(0, 5))
    ),
    max_size=40,
)


@example(number=1, steps=[("take",), ("wait",), ("give",), ("cancel", 0), ("wait",), ("take",)])
@given(number=st.integers(1, 3), steps=STEPS)
def test_turns_are_as_a_line_of_people_would_have_them(number, steps):
    async def play():
        semaphore, held, came = FifoSemaphore(number), 0, []
        waiting: list[tuple[int, asyncio.Task]] = []

        async def wait(name):
            await semaphore.acquire()
            came.append(name)

        def settle():
            """Removes finished tasks from `waiting`, and counts the permits of those that were not cancelled."""
            nonlocal held
            for name, task in list(waiting):
                if task.done():
                    waiting.remove((name, task))
                    held += name in came

        for name, step in enumerate(steps):
            if step[0] == "take":
                taken = semaphore.try_acquire()
                held += taken
                await rest()
                settle()
                assert not (taken and waiting), "who came later was first"
            elif step[0] == "wait":
                waiting.append((name, asyncio.create_task(wait(name))))
                await asyncio.sleep(0)
            elif step[0] == "give" and held:
                held -= 1
                semaphore.release()
            elif step[0] == "cancel" and len(waiting) > step[1]:
                # Perhaps one whose turn has just come and who has not noticed.
                waiting[step[1]][1].cancel()
            elif step[0] == "rest":
                await rest()
                settle()
            assert held <= number
        await rest()
        settle()
        assert came == sorted(came)
        # No permit is lost: all of them can be acquired again.
        for _ in range(held + len(waiting)):
            semaphore.release()
            await rest()
        assert all(task.done() for _, task in waiting)
        assert [semaphore.try_acquire() for _ in range(number + 1)] == [True] * number + [False]

    asyncio.run(play())


async def test_who_is_cancelled_in_the_moment_of_their_turn_passes_it_on():
    semaphore = FifoSemaphore(1)
    assert semaphore.try_acquire()
    first, second = asyncio.create_task(semaphore.acquire()), asyncio.create_task(semaphore.acquire())
    await rest()
    semaphore.release()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.wait_for(second, 5)
    assert not semaphore.try_acquire()


async def test_who_has_just_been_cancelled_is_passed_over():
    semaphore = FifoSemaphore(1)
    assert semaphore.try_acquire()
    first, second = asyncio.create_task(semaphore.acquire()), asyncio.create_task(semaphore.acquire())
    await rest()
    first.cancel()  # it has not noticed yet
    semaphore.release()
    await asyncio.wait_for(second, 5)
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not semaphore.try_acquire()


async def test_who_waits_where_one_is_free_has_it_at_once():
    semaphore = FifoSemaphore(1)
    await asyncio.wait_for(semaphore.acquire(), 5)
    assert not semaphore.try_acquire()
