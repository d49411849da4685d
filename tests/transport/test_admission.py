"""Admission control: what runs at once, who waits in which order, who is refused, and that no place is ever lost."""

import asyncio

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.documents.limits import Limits
from execution.errors import ErrorWriter, Refusal
from tests.transport.asgi_client import NEW, ask, post
from tests.transport.test_graphql_http import SCHEMA, make_context
from transport.admission import Admission
from transport.flows import early_flow
from transport.graphql_http import GraphQLEndpoint
from transport.headers import header

QUERY = "query ($name: String!) { echo(text: $name) }"


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


class Blocked:
    """An endpoint whose operations run until `release()` is called, each as (variable, a future)."""

    def __init__(self, controlled: Admission) -> None:
        self.running: list[tuple[str, asyncio.Future[None]]] = []
        self.begun: list[str] = []
        self.app = GraphQLEndpoint(
            SCHEMA, self._execute, _viewer, ErrorWriter(), limits=Limits(), admission=controlled, flow_of=lambda viewer: viewer
        )
        # A document that was not seen before is read beside the event loop, for longer than `settle` waits.
        self.app._documents.read(QUERY)

    async def _execute(self, operation):
        name = operation.variables["name"]
        self.begun.append(name)
        ended = asyncio.get_running_loop().create_future()
        self.running.append((name, ended))
        try:
            await ended
        finally:
            self.running.remove((name, ended))
        return b'{"data":{"echo":"%s"}}' % name.encode()

    def send(self, name: str, flow: str | None = None) -> "asyncio.Task":
        return asyncio.create_task(_send(self.app, name, flow))

    async def release(self) -> str:
        name, ended = self.running[0]
        ended.set_result(None)
        await settle()
        return name


async def _viewer(scope):
    """A token is `Bearer viewer`, or `Bearer viewer/session`."""
    return (header(scope, b"authorization") or "").rpartition(" ")[2].partition("/")[0] or None


async def _send(app, name, flow):
    headers = {"content-type": "application/json", "accept": NEW} | ({} if flow is None else {"authorization": flow})
    body = orjson.dumps({"query": QUERY, "variables": {"name": name}})
    return await ask(app, "POST", [body], headers)


async def ended(tasks):
    return [(await each).status for each in tasks]


async def test_one_more_than_run_and_wait_is_refused_at_once_with_retry_after_and_the_body_unread():
    blocked = Blocked(Admission(2, 60, shortest=3, longest=3))
    admitted = [blocked.send(str(n)) for n in range(5)]
    await settle()
    assert len(blocked.running) == 2

    async def receive():
        raise AssertionError("the body was read")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": [(b"accept", NEW.encode())], "state": {}}
    await blocked.app(scope, receive, send)
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"retry-after"], headers[b"content-type"]) == (503, b"1", f"{NEW}; charset=utf-8".encode())
    assert orjson.loads(sent[1]["body"])["errors"][0]["extensions"]["code"] == "OVERLOADED"
    while blocked.running:
        await blocked.release()
    assert await ended(admitted) == [200] * 5


async def test_those_who_wait_begin_in_the_order_in_which_they_came():
    blocked = Blocked(Admission(1, 60))
    tasks = [blocked.send(str(n)) for n in range(6)]
    await settle()
    while blocked.running:
        await blocked.release()
    assert blocked.begun == ["0", "1", "2", "3", "4", "5"]
    assert await ended(tasks) == [200] * 6


async def test_viewers_take_turns():
    """One with ten requests in line delays another by one request, and not by ten."""
    blocked = Blocked(Admission(1, 60))
    tasks = [blocked.send(f"many {n}", "Bearer many") for n in range(10)]
    await settle()
    tasks += [blocked.send(f"few {n}", "Bearer few") for n in range(2)]
    await settle()
    while blocked.running:
        await blocked.release()
    assert blocked.begun[:5] == ["many 0", "many 1", "few 0", "many 2", "few 1"]
    assert await ended(tasks) == [200] * 12


async def test_in_a_full_queue_the_viewer_with_the_most_in_it_gives_way():
    blocked = Blocked(Admission(1, 60, shortest=4, longest=4))
    many = [blocked.send(f"many {n}", "Bearer many") for n in range(5)]
    await settle()
    few = blocked.send("few", "Bearer few")
    await settle()
    assert many[4].done()
    assert (await many[4]).status == 503
    assert (await blocked.send("one more", "Bearer many")).status == 503
    while blocked.running:
        await blocked.release()
    assert await ended([*many[:4], few]) == [200] * 5


async def test_among_viewers_with_one_request_each_the_last_is_refused():
    blocked = Blocked(Admission(1, 60, shortest=4, longest=4))
    waiting = [blocked.send(str(n), f"Bearer {n}") for n in range(5)]
    await settle()
    assert (await blocked.send("last", "Bearer last")).status == 503
    assert not any(each.done() for each in waiting)
    while blocked.running:
        await blocked.release()
    assert await ended(waiting) == [200] * 5


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
    first.cancel()  # its turn has been given, and it has not run since
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


async def test_the_queue_is_as_long_as_can_be_served_in_half_a_second():
    """After a stretch at 100 a second, 50 may wait; at 10 a second, the shortest queue."""

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
    assert controlled._look is not None, "the event loop is looked at while operations wait"
    now = asyncio.get_running_loop().time

    def look(late):
        controlled._look.cancel()
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
    assert controlled._look is None, "nobody looks at an idle server"


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


async def test_all_sessions_of_a_viewer_have_one_turn_however_their_tokens_are_written():
    blocked = Blocked(Admission(1, 60))
    tasks = [blocked.send(f"many {n}", f"{'Bearer' if n % 2 else 'bearer '} many/{n}") for n in range(6)]
    await settle()
    tasks += [blocked.send("few", "Bearer few")]
    await settle()
    while blocked.running:
        await blocked.release()
    assert blocked.begun[:3] == ["many 0", "many 1", "few"]
    assert await ended(tasks) == [200] * 7


async def test_a_viewer_who_fills_the_queue_is_refused_before_being_authenticated():
    controlled = Admission(1, 60, shortest=4, longest=4)
    blocked = Blocked(controlled)
    tasks = [blocked.send(f"many {n}", f"Bearer many/{n % 2}") for n in range(5)]
    await settle()
    for token in ("Bearer many/0", "bearer  many/1"):
        assert controlled.refuses_early(early_flow({"headers": [(b"authorization", token.encode())]}))
    assert not controlled.refuses_early(early_flow({"headers": [(b"authorization", b"Bearer few")]}))
    while blocked.running:
        await blocked.release()
    assert await ended(tasks) == [200] * 5


async def test_what_is_known_of_flows_is_bounded():
    controlled = Admission(1, 60)
    for number in range(10_100):
        controlled._remember(number, "flow")
    controlled._remember("flow", "flow")
    controlled._remember(None, "flow")
    assert len(controlled._known) == 10_000


def test_an_early_flow_is_a_token_or_else_a_network():
    def token(value):
        return early_flow({"headers": [(b"authorization", value)], "client": ("192.0.2.1", 1)})

    def address(value):
        return early_flow({"headers": [], "client": (value, 1)})

    assert token(b"Bearer a") == token(b"bearer a") == token(b" BEARER   a ") != token(b"Bearer b")
    assert address("192.0.2.1") == address("::ffff:192.0.2.1") != address("192.0.2.2")
    assert address("2001:db8::1") == address("2001:db8::ffff:2%eth0") != address("2001:db8:0:1::1")
    assert address("not an address") == "not an address"
    assert early_flow({"headers": [], "client": None}) is None


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
    controlled._look.cancel()


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
    """Against a plain count of who has begun and not ended; nobody waits while there is room."""
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
        elif step == "expire" and controlled._lines:
            flow = list(controlled._lines)[value % len(controlled._lines)]
            controlled._refuse(flow, controlled._lines[flow][0])
        elif step in ("shrink", "grow"):
            due = asyncio.get_running_loop().time() - (10 if step == "shrink" else 0)
            controlled._adapt(due)
            controlled._look.cancel() if controlled._look else None
            controlled._look = None
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
        assert controlled.waiting == len(waiting) == sum(map(len, controlled._lines.values())) <= room
        assert not waiting or running >= controlled.limit
        assert all(controlled._lines.values())
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert (controlled.running, controlled.waiting, controlled._lines) == (running, 0, {})
