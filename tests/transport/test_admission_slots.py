"""Tests that admission control neither loses nor gains places when operations are cancelled, fail or time out."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from execution.documents.limits import Limits
from execution.errors import ErrorWriter, Refusal
from tests.transport.asgi_client import post
from tests.transport.blocking_endpoint import Blocked, ended, settle
from tests.transport.graphql_endpoint import SCHEMA, make_context
from transport.admission import Admission
from transport.graphql_http import GraphQLEndpoint


async def test_a_client_that_leaves_the_queue_frees_its_place():
    controlled = Admission(1, 60, shortest=2, longest=2)
    blocked = Blocked(controlled)
    running, leaves, stays = (blocked.send(name) for name in ("running", "leaves", "stays"))
    await settle()
    assert (await blocked.send("too many")).status == 503
    leaves.cancel()
    await settle()
    assert controlled.waiting == 1
    late = blocked.send("late")
    await settle()
    while blocked.running:
        await blocked.release()
    assert blocked.begun == ["running", "stays", "late"]
    assert await ended([running, stays, late]) == [200] * 3
    assert (controlled.running, controlled.waiting) == (0, 0)


async def test_a_client_that_leaves_in_the_moment_of_its_turn_passes_it_on():
    controlled = Admission(1, 60)
    assert controlled.take()
    first, second = (asyncio.create_task(controlled.wait("flow")) for _ in range(2))
    await settle()
    controlled.leave()
    first.cancel()  # it has been admitted, but has not run since
    await settle()
    assert first.cancelled()
    assert second.done()
    assert (controlled.running, controlled.waiting) == (1, 0)


async def test_a_turn_is_not_given_to_a_client_that_left_a_moment_before():
    controlled = Admission(1, 60)
    assert controlled.take()
    first, second = (asyncio.create_task(controlled.wait("flow")) for _ in range(2))
    await settle()
    first.cancel()
    controlled.leave()  # before the task hears of it
    await settle()
    assert second.done()
    assert (controlled.running, controlled.waiting) == (1, 0)


async def test_who_waits_too_long_is_refused_and_counts_no_more():
    controlled = Admission(1, 0.05)
    blocked = Blocked(controlled)
    running, waits = blocked.send("running"), blocked.send("waits")
    answer = await waits
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "OVERLOADED", "1")
    assert (controlled.running, controlled.waiting) == (1, 0)
    await blocked.release()
    assert (await running).status == 200


async def test_an_operation_that_waits_elsewhere_lets_another_run():
    controlled = Admission(1, 60)
    assert controlled.take()
    other = asyncio.create_task(controlled.wait("other"))
    await settle()
    with controlled.paused():
        await settle()
        assert other.done()
        assert controlled.running == 1
    assert controlled.running == 2
    controlled.leave()
    assert not controlled.take()
    controlled.leave()
    assert (controlled.running, controlled.waiting) == (0, 0)


async def test_a_failed_operation_gives_its_place_back():
    async def fail(_):
        raise ValueError

    controlled = Admission(1, 60)
    app = GraphQLEndpoint(SCHEMA, fail, make_context, ErrorWriter(), limits=Limits(), admission=controlled)
    assert (await post(app, "{ echo }")).status == 500
    assert controlled.running == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.integers(0, 4)),
        st.tuples(
            st.sampled_from(["leave", "cancel", "cancel and leave", "leave and cancel", "expire", "shrink", "grow", "pause", "resume"]),
            st.integers(0, 30),
        ),
    ),
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(1, 5), st.integers(1, 6))
def test_no_place_is_lost_and_none_made_whatever_happens(steps, limit, room):
    """Compares with a simple count of the operations that have begun and not ended. No operation waits while there is room."""
    asyncio.run(_bookkeeping(steps, limit, room))


async def _bookkeeping(steps, limit, room):
    controlled = Admission(limit, 3_600, shortest=room, longest=room)
    running, waiting, paused = 0, [], []

    async def arrive(flow):
        if controlled.take():
            return
        await controlled.wait(flow)

    def sort_out():
        nonlocal running
        for each in waiting[:]:
            if each.done():
                waiting.remove(each)
                if each.cancelled():
                    continue
                if each.exception() is None:
                    running += 1
                else:
                    assert isinstance(each.exception(), Refusal)

    for step, value in steps:
        if step == "arrive":
            waiting.append(asyncio.create_task(arrive(value)))
        elif step in ("leave", "leave and cancel", "cancel and leave"):
            if step == "cancel and leave" and waiting:
                waiting[value % len(waiting)].cancel()
            if running:
                running -= 1
                controlled.leave()
            if step == "leave and cancel" and waiting:
                waiting[value % len(waiting)].cancel()
        elif step == "cancel" and waiting:
            waiting[value % len(waiting)].cancel()
        elif step == "expire" and controlled._queue._lines:
            flow = list(controlled._queue._lines)[value % len(controlled._queue._lines)]
            controlled._refuse(flow, controlled._queue._lines[flow][0])
        elif step in ("shrink", "grow"):
            due = asyncio.get_running_loop().time() - (10 if step == "shrink" else 0)
            controlled._adapt(due)
            controlled._lag_check.cancel() if controlled._lag_check else None
            controlled._lag_check = None
        elif step == "pause" and running:
            running -= 1
            context = controlled.paused()
            context.__enter__()
            paused.append(context)
        elif step == "resume" and paused:
            paused.pop().__exit__(None, None, None)
            running += 1
        await settle()
        sort_out()
        assert controlled.running == running
        assert controlled.waiting == len(waiting) == sum(map(len, controlled._queue._lines.values())) <= room
        assert not waiting or running >= controlled.limit
        assert all(controlled._queue._lines.values())
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (controlled.running, controlled.waiting, controlled._queue._lines) == (running, 0, {})
