"""Tests the requests that the protocol refuses without the application while the server is overloaded, over sockets."""

import pytest

from tests.polling import block_until
from tests.transport.raw_http import answers, dial, serving


def with_body(size: int) -> bytes:
    return b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size


class Full:
    """Replaces the admission with one that refuses every operation."""

    path, request_line, waiting = "/echo", b"POST /echo HTTP/1.1\r\n", 1

    def refuses_unread(self, _: object) -> bool:
        return True


def test_refusals_wait_for_a_client_that_does_not_take_them():
    with serving(Full()) as served, dial(served, with_body(1)) as client:
        assert client.recv(65_536).startswith(b"HTTP/1.1 503")
        [connection] = served.connections.open
        connection.loop.call_soon_threadsafe(connection.flow.pause_writing)
        block_until(lambda: connection.flow.write_paused)
        client.sendall(with_body(1) * 3)
        block_until(lambda: len(connection.pipeline) == 2)
        assert connection.flow.read_paused
        assert connection.bytes_to_send() == 0
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        connection.loop.call_soon_threadsafe(connection.flow.resume_writing)
        client.settimeout(30)
        got = b""
        while got.count(b"HTTP/1.1 200") < 3:
            got += client.recv(65_536)


def test_few_of_the_requests_in_one_read_are_refused_one_by_one():
    with serving(Full()) as served, dial(served, with_body(1) * 500) as client:
        got = answers(client)
        assert {each.code for each in got} == {"OVERLOADED"}
        assert len(got) == 5
        assert got[-1].headers["connection"] == "close"


def test_the_first_request_of_a_connection_is_refused_without_the_parser_and_the_connection_is_kept():
    with serving(Full()) as served, dial(served, with_body(1)) as client:
        for _ in range(2):
            assert client.recv(65_536).startswith(b"HTTP/1.1 503")
            [connection] = served.connections.open
            assert connection.cycle is None, "nothing was parsed"
            block_until(lambda: len(served.connections.idle) == 1)
            assert not served.connections.reading
            client.sendall(with_body(1))
        assert client.recv(65_536).startswith(b"HTTP/1.1 503")
        # A request in two pieces is left to the parser.
        client.sendall(with_body(1)[:20])
        block_until(lambda: served.connections.reading)
        client.sendall(with_body(1)[20:])
        assert client.recv(65_536).startswith(b"HTTP/1.1 503")
        assert connection.cycle is not None


def test_a_body_that_looks_like_a_request_is_none():
    with serving(Full()) as served, dial(served) as client:
        inner = with_body(1)
        client.sendall(with_body(len(inner))[: -len(inner)])
        assert client.recv(65_536).startswith(b"HTTP/1.1 503")
        client.sendall(inner)
        block_until(lambda: served.connections.idle)
        client.sendall(inner.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        assert len(answers(client)) == 1
