"""Tests that connections are ended when they send or read too slowly, stay incomplete or idle, or are too many."""

import asyncio
import contextlib
import socket
import time
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from tests.polling import block_until
from tests.transport.raw_http import answers, dial, only, serving
from transport.connections import RESERVE, ConnectionLimits, Connections
from transport.headers import UNSENT
from transport.responses import JSONBytesResponse

POST = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"


def trickle(client: socket.socket, piece: bytes = b"a", every: float = 0.1, within: float = 20.0) -> None:
    """Sends slowly, until the server closes the connection."""
    end = time.monotonic() + within
    client.settimeout(every)
    while time.monotonic() < end:
        try:
            client.sendall(piece)
            if client.recv(1, socket.MSG_PEEK) or True:
                break
        except TimeoutError:
            continue
        except OSError:
            break
    else:
        raise AssertionError("the server listened to the end")
    client.settimeout(30)


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        (b"GET ", "head"),
        (b"GET /", "head"),
        (POST + b"A: ", "head"),
        (POST + b"Content-Length: 100000\r\n\r\n", "body"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", "body"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: ", "body"),
    ],
)
@pytest.mark.parametrize("trickles", [False, True])
def test_half_a_request_gets_a_408_however_slowly_it_goes_on(sent, part, trickles):
    with serving(header_seconds=1.0, body_seconds=1.0) as served, dial(served, sent) as client:
        if trickles:
            trickle(client)
        answer = only(client)
        assert (answer.status, answer.code, answer.headers["connection"]) == (408, "REQUEST_TIMEOUT", "close")
        assert part.encode() in answer.body
        block_until(lambda: not served.connections.open)
        if part == "body":
            block_until(lambda: served.gone == 1)
        assert not served.bodies


def test_the_body_has_its_own_time_and_paths_without_one_that_of_the_head():
    other = b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na"
    with (
        serving(header_seconds=0.5, body_seconds=60.0, body_paths=("/echo",)) as served,
        dial(served, other) as short,
        dial(served, POST + b"Content-Length: 2\r\n\r\na") as long,
    ):
        assert only(short).status == 408
        long.sendall(b"b")
        assert long.recv(1000).endswith(b"ab")


def test_the_body_after_an_early_answer_has_its_time_too():
    with serving(body_seconds=1.0) as served, dial(served, b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n") as client:
        trickle(client, every=0.2)
        assert only(client).body == b"early", "and nothing after it"


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_connection_that_sends_no_request_is_closed_without_a_word(sent):
    with serving(header_seconds=1.0) as served, dial(served, sent) as client:
        if sent:
            trickle(client, sent)
        assert answers(client) == []


def test_a_connection_between_two_requests_is_closed_after_its_time():
    with serving(idle_seconds=1.0) as served, dial(served, GET) as client:
        began = time.monotonic()
        assert [each.status for each in answers(client)] == [200]
        assert time.monotonic() - began >= 1.0
        assert served.connections.idle == {}


def test_requests_that_follow_in_time_keep_their_connection():
    with serving(idle_seconds=2.0, header_seconds=1.0, body_seconds=1.0) as served, dial(served) as client:
        for _ in range(8):
            client.sendall(GET)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            time.sleep(0.5)


def test_a_request_that_is_worked_on_has_no_time_limit_here():
    waiting = b"GET /waits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with serving(header_seconds=0.5, body_seconds=0.5, idle_seconds=0.5, send_seconds=0.5) as served, dial(served, waiting) as client:
        time.sleep(3)
        served.release.set()
        assert only(client).status == 200


def test_two_hundred_half_requests_are_gone():
    with serving(header_seconds=1.0, body_seconds=1.0) as served, contextlib.ExitStack() as stack:
        half = [b"", b"G", POST, POST + b"Content-Length: 9\r\n\r\n"]
        clients = [stack.enter_context(dial(served, half[n % len(half)])) for n in range(200)]
        block_until(lambda: len(served.connections.open) == 200)
        with dial(served, GET) as honest:
            assert honest.recv(1000).startswith(b"HTTP/1.1 200")
        block_until(lambda: not [each for each in served.connections.open if each not in served.connections.idle])
        assert [len(answers(each)) for each in clients] == [0, 1, 1, 1] * 50


@pytest.mark.parametrize("rate", [0, 100])
@pytest.mark.parametrize("keep_alive", [b"", b"Connection: close\r\n"])
def test_a_client_that_does_not_take_its_answer_is_dropped(rate, keep_alive):
    with serving(send_seconds=1.0, idle_seconds=60.0) as served:
        sent = b"GET /bytes/20000000 HTTP/1.1\r\nHost: x\r\n" + keep_alive + b"\r\n"
        with dial(served, sent, receive_buffer=4096) as client:
            block_until(lambda: served.connections.unsent_bytes > 1_000_000)
            while rate and served.connections.open:
                client.recv(rate // 10)
                time.sleep(0.1)
            block_until(lambda: not served.connections.open)
            assert served.connections.unsent_bytes == 0


def test_a_client_that_takes_its_answer_slowly_but_steadily_gets_all_of_it():
    """Checks a client that takes three times as long as the timeout for reading nothing."""
    with serving(send_seconds=2.0, idle_seconds=1.0) as served:
        sent = b"GET /bytes/8000000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        with dial(served, sent, receive_buffer=65536) as client:
            block_until(lambda: served.connections.sending)
            got = 0
            while piece := client.recv(100_000):
                got += len(piece)
                time.sleep(0.06)
            assert got > 8_000_000


def test_unsent_answers_are_bounded_in_bytes():
    with serving(send_seconds=60.0, unsent_bytes=50_000_000) as served, contextlib.ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(dial(served, b"GET /bytes/20000000 HTTP/1.1\r\nHost: x\r\n\r\n", receive_buffer=4096))
        block_until(lambda: len(served.bodies) == 6)
        block_until(lambda: len(served.connections.open) == 2)
        assert served.connections.unsent_bytes <= 50_000_000


def test_unfinished_requests_are_bounded_in_bytes():
    """Checks that the oldest are refused, and that a small one goes on."""
    with serving(body_seconds=60.0, buffered_bytes=1_000_000) as served, contextlib.ExitStack() as stack:
        small = stack.enter_context(dial(served, POST + b"Content-Length: 2\r\n\r\na"))
        large = [stack.enter_context(dial(served, POST + b"Content-Length: 300000\r\n\r\n" + b"a" * 200_000)) for _ in range(20)]
        refusal = only(large[0])
        assert (refusal.status, refusal.code, refusal.headers["retry-after"]) == (503, "OVERLOADED", "1")
        block_until(lambda: len(served.connections.open) <= 6)
        assert served.connections.held_bytes <= 1_000_000
        small.sendall(b"b")
        assert small.recv(1000).endswith(b"ab")


def test_beyond_the_number_of_connections_the_idle_make_room_and_then_the_slowest():
    with serving(connections=10, idle_seconds=60.0, header_seconds=60.0) as served, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(dial(served, GET)) for _ in range(5)]
        block_until(lambda: len(served.connections.idle) == 5)
        half = [stack.enter_context(dial(served, POST)) for _ in range(20)]
        for client in idle:
            assert [each.status for each in answers(client)] == [200]
        assert [only(each).code for each in half[:10]] == ["OVERLOADED"] * 10
        assert len(served.connections.open) <= 10
        with dial(served, GET) as honest:
            assert honest.recv(1000).startswith(b"HTTP/1.1 200")


WAITS = b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n"
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@contextlib.contextmanager
def all_working(connections: int):
    with serving(connections=connections) as served, contextlib.ExitStack() as stack:
        working = [stack.enter_context(dial(served, WAITS)) for _ in range(connections)]
        block_until(lambda: len(served.bodies) == connections)
        yield served, working


def test_when_all_connections_of_a_network_work_its_newest_is_refused_and_health_is_answered():
    with all_working(3) as (served, working):
        with dial(served, GET) as late, dial(served, HEALTH) as probe:
            assert only(late).code == "OVERLOADED"
            answer = only(probe)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
        served.release.set()
        for client in working:
            assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_heads_that_do_not_come_keep_no_probe_out():
    with all_working(3) as (served, _), contextlib.ExitStack() as stack:
        for _ in range(2 * RESERVE):
            stack.enter_context(dial(served, b"GET /"))
        with dial(served, HEALTH) as probe:
            assert only(probe).status == 200
        block_until(lambda: len(served.connections.open) <= 3 + RESERVE)


def test_the_network_with_the_most_connections_gives_way_to_another_even_with_requests_that_wait():
    with all_working(4) as (served, working), dial(served, GET, source="127.0.0.2") as other:
        assert other.recv(1000).startswith(b"HTTP/1.1 200")
        assert only(working[-1]).code == "OVERLOADED"
        block_until(lambda: served.gone == 1)
        served.release.set()
        for client in working[:-1]:
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        other.sendall(GET)
        assert other.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_network_with_more_than_half_of_the_connections_gives_way_alone():
    with serving(connections=6, idle_seconds=60.0) as served, contextlib.ExitStack() as stack:
        others = [stack.enter_context(dial(served, GET, source="127.0.0.2")) for _ in range(2)]
        block_until(lambda: len(served.connections.idle) == 2)
        for _ in range(4):
            stack.enter_context(dial(served, WAITS))
        block_until(lambda: len(served.bodies) == 6)
        for _ in range(3):
            stack.enter_context(dial(served, WAITS))
        with dial(served, GET, source="127.0.0.3") as third:
            assert third.recv(1000).startswith(b"HTTP/1.1 200")
        assert len(served.connections.idle) >= 2
        for other in others:
            assert other.recv(1000).startswith(b"HTTP/1.1 200")
            other.sendall(GET)
            assert other.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_client_that_takes_what_lies_in_the_kernel_is_not_dropped():
    sent = b"GET /bytes/20000000 HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(send_seconds=2.0) as served, dial(served, sent, receive_buffer=16_384) as client:
        block_until(lambda: served.connections.sending)
        for _ in range(60):
            assert client.recv(4_000)
            time.sleep(0.1)
        assert served.connections.open


async def test_what_is_unsent_is_counted_anew_in_every_sweep():
    connections = Connections(ConnectionLimits())
    left = [10]
    connection = Mock(network="", queued=0, held=0, bytes_to_send=lambda: left[0], bytes_to_take=lambda: left[0])
    connections.opened(connection, 0.0)
    connections.unsent(connection, asyncio.get_running_loop().time())
    left[0] = 70
    connections._timer.cancel()
    connections._sweep()
    assert connections.unsent_bytes == 70
    connections._timer.cancel()


async def test_the_rest_of_an_answer_that_is_sent_in_pieces_counts_as_unsent():
    scope, seen = {"headers": [(b"accept-encoding", b"gzip")]}, []

    async def send(message):
        if message["type"] == "http.response.body":
            seen.append((scope[UNSENT], len(message["body"])))

    await JSONBytesResponse(b"x" * 300_000, "application/json")(scope, None, send)
    assert seen == [(300_000, 131_072), (168_928, 131_072), (37_856, 37_856)]
    assert scope[UNSENT] == 0


def test_the_log_counts_dropped_connections_in_few_lines(monkeypatch):
    logged = []
    monkeypatch.setattr("transport.connections._log", SimpleNamespace(warning=lambda text, **facts: logged.append((text, facts))))
    with serving(header_seconds=1.0) as served, contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(dial(served, POST))
        block_until(lambda: not served.connections.open)
        block_until(lambda: sum(facts["slow_head"] for _, facts in logged) == 30)
    assert len(logged) <= 2, "at the first sweep that drops some, and at the last"
