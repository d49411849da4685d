"""Tests admission control: how many operations run at once, in which order others wait, and which are refused."""

import orjson

from tests.transport.asgi_client import NEW
from tests.transport.blocking_endpoint import Blocked, ended, settle
from transport.admission import Admission
from transport.flow_keys import provisional_flow


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
    """Checks that a viewer with ten queued requests delays another viewer by one request only."""
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
        assert controlled.refuses_early(provisional_flow({"headers": [(b"authorization", token.encode())]}))
    assert not controlled.refuses_early(provisional_flow({"headers": [(b"authorization", b"Bearer few")]}))
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


async def test_requests_that_have_not_started_keep_the_places_for_which_they_were_let_through():
    unstarted = 2
    controlled = Admission(1, 60, shortest=4, longest=4, unstarted=lambda: unstarted)
    blocked = Blocked(controlled)
    tasks = [blocked.send(f"many {n}", "Bearer many") for n in range(3)]
    await settle()
    many = provisional_flow({"headers": [(b"authorization", b"Bearer many")]})
    assert controlled.refuses_unread(many)
    unstarted = 1
    assert not controlled.refuses_unread(many)
    while blocked.running:
        await blocked.release()
    assert await ended(tasks) == [200] * 3


async def test_what_arrives_in_one_turn_of_the_event_loop_gets_the_places_that_are_free_and_no_more():
    """Checks that with two free places the third request is refused unread, although all three are read before any of them waits."""
    controlled = Admission(1, 60, shortest=4, longest=4)
    blocked = Blocked(controlled)
    tasks = [blocked.send(f"many {n}", "Bearer many") for n in range(3)]
    await settle()
    many = provisional_flow({"headers": [(b"authorization", b"Bearer many")]})
    assert [controlled.refuses_unread(many) for _ in range(5)] == [False, False, True, True, True]
    # A flow with fewer operations takes a place from the longest one, but not more places than it could keep.
    assert [controlled.refuses_unread("few") for _ in range(3)] == [False, True, True]
    await settle()
    assert not controlled.refuses_unread(many), "a place is kept for one turn: what has not come to wait by then holds nothing"
    while blocked.running:
        await blocked.release()
    assert await ended(tasks) == [200] * 3
