"""Tests that ordinary responses are sent with one write, and others as uvicorn sends them."""

import asyncio

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from transport.header_lines import header_lines
from transport.headers import SECURITY_HEADERS
from transport.request_cycle import RequestCycle


class _Transport(asyncio.Transport):
    """Records what is written to it."""

    def __init__(self):
        super().__init__()
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(bytes(data))

    def close(self):
        self.closed = True


def _cycle(method="GET", *, keep_alive=True):
    transport = _Transport()
    ends = []
    cycle = RequestCycle(
        scope={"type": "http", "method": method, "headers": []},
        transport=transport,
        flow=FlowControl(transport),
        logger=None,
        access_logger=None,
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: ends.append(True),
    )
    return cycle, transport, ends


def _start(*headers, status=200):
    return {"type": "http.response.start", "status": status, "headers": [*headers]}


async def test_an_answer_in_one_piece_is_one_write_with_every_header():
    cycle, transport, ends = _cycle()
    await cycle.send(_start((b"content-length", b"2"), (b"x-request-id", b"a"), *SECURITY_HEADERS))
    assert not transport.written, "the head waits for the body"
    await cycle.send({"type": "http.response.body", "body": b"{}"})
    lines = b"".join(b"%s: %s\r\n" % each for each in SECURITY_HEADERS)
    expected = STATUS_LINE[200] + b"date: today\r\ncontent-length: 2\r\nx-request-id: a\r\n" + lines + b"\r\n{}"
    assert (transport.written, ends, cycle.response_complete) == ([expected], [True], True)


async def test_the_last_answer_of_a_connection_says_so_and_closes_it():
    cycle, transport, _ = _cycle(keep_alive=False)
    await cycle.send(_start((b"content-length", b"0")))
    await cycle.send({"type": "http.response.body", "body": b""})
    assert transport.written == [STATUS_LINE[200] + b"date: today\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"]
    assert transport.closed


async def test_a_large_body_is_not_copied():
    cycle, transport, _ = _cycle()
    body = b"x" * 100_000
    await cycle.send(_start((b"content-length", b"100000")))
    await cycle.send({"type": "http.response.body", "body": body})
    assert (len(transport.written), transport.written[1]) == (2, body)


async def test_the_head_of_an_answer_of_unknown_length_is_sent_at_once():
    cycle, transport, _ = _cycle()
    await cycle.send(_start((b"content-type", b"text/event-stream")))
    assert b"transfer-encoding: chunked" in transport.written[0]


async def test_an_answer_in_several_pieces_has_them_all():
    cycle, transport, ends = _cycle()
    await cycle.send(_start((b"content-length", b"4")))
    await cycle.send({"type": "http.response.body", "body": b"ab", "more_body": True})
    await cycle.send({"type": "http.response.body", "body": b"cd"})
    assert b"".join(transport.written).endswith(b"\r\n\r\nabcd")
    assert ends == [True]


async def test_an_answer_to_head_has_no_body():
    cycle, transport, ends = _cycle("HEAD")
    await cycle.send(_start((b"content-length", b"4")))
    await cycle.send({"type": "http.response.body", "body": b""})
    assert b"content-length: 4\r\n" in transport.written[0]
    assert b"".join(transport.written).endswith(b"\r\n\r\n")
    assert ends == [True]


async def test_a_body_that_is_shorter_than_announced_is_an_error():
    cycle, _, _ = _cycle()
    await cycle.send(_start((b"content-length", b"4")))
    with pytest.raises(RuntimeError, match="shorter than Content-Length"):
        await cycle.send({"type": "http.response.body", "body": b"{}"})


async def test_what_failed_after_its_head_was_made_is_answered_as_a_failure():
    async def app(scope, receive, send):
        await send(_start((b"content-length", b"4")))
        raise ZeroDivisionError

    class _Logger:
        def error(self, *_, **__):
            pass

    cycle, transport, ends = _cycle()
    cycle.logger = _Logger()
    await cycle.run_asgi(app)
    assert transport.written[0].startswith(STATUS_LINE[500])
    assert b"INTERNAL_SERVER_ERROR" in b"".join(transport.written)
    assert ends == [True]


@pytest.mark.parametrize("header", [(b"x-request-id", b"a\r\nset-cookie: b=c"), (b"x request", b"a")])
def test_a_header_that_would_end_its_line_is_an_error(header):
    with pytest.raises(RuntimeError, match="Invalid HTTP header"):
        header_lines([header], 0)


@pytest.mark.parametrize("header", [(b"connection", b"close"), (b"transfer-encoding", b"chunked"), (b"content-length", b"3")])
def test_headers_that_say_how_an_answer_is_sent_are_left_to_uvicorn(header):
    assert header_lines([header], 2) is None
