"""Tests that plain requests that are refused without the parser get the same response as with it, and that no others are."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.admission import Admission
from transport.load_shedding import early_refusal
from transport.raw_load_shedding import PlainRequest

CLIENT = ("192.0.2.7", 4711)
HEADERS = {"Host": "x", "Content-Type": "application/json", "Authorization": "Bearer t", "X-Request-Id": "mine"}


def request(body=b'{"query":"{ viewer { role } }"}', line=b"POST /graphql HTTP/1.1", **headers):
    named = {**HEADERS, "Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [line, *(f"{name}: {value}".encode() for name, value in named.items() if value is not None)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def refuse_unparsed(admission, data, client):
    found = PlainRequest.read(admission, data, client)
    return None if found is None else found.refusal(admission)


async def full():
    """Returns an admission whose queue is full."""
    admission = Admission(1, 60, shortest=1, longest=1)
    assert admission.take()
    waiting = asyncio.create_task(admission.wait("somebody"))
    await asyncio.sleep(0)
    return admission, waiting


async def test_a_plain_request_gets_the_answer_that_it_would_get_from_the_parser():
    admission, waiting = await full()
    scope = {"path": "/graphql", "method": "POST", "client": CLIENT}
    parsed = [(b"host", b"x"), (b"content-type", b"application/json"), (b"authorization", b"Bearer t"), (b"x-request-id", b"mine")]
    assert refuse_unparsed(admission, request(), CLIENT) == early_refusal(admission, scope | {"headers": parsed}) is not None
    waiting.cancel()


@pytest.mark.parametrize(
    "data",
    [
        request(line=b"GET /graphql HTTP/1.1"),
        request(line=b"POST /graphql HTTP/1.0"),
        request(line=b"POST /graphql?query=x HTTP/1.1"),
        request(line=b"POST /graphqlx HTTP/1.1"),
        request(Host=None),
        request(Content_Length=None),
        request(Content_Length="1"),
        request(Content_Length="1000"),
        request(Content_Length="+31"),
        request(Content_Length="99999999"),
        request(Transfer_Encoding="chunked"),
        request(Connection="close"),
        request(Connection="Upgrade"),
        request(Upgrade="websocket"),
        request(Expect="100-continue"),
        request(Origin="https://app.school.example"),
        request(Cookie="a=b"),
        request(host="y"),
        request(content_length="31"),
        request(Accept="a\r\n folded"),
        request(Accept="a\nHost: y"),
        request(Accept="a\rb"),
        request() + b"POST",
        request()[:-1],
        request()[:60],
        b"",
    ],
)
async def test_what_is_not_plain_is_left_to_the_parser(data):
    admission, waiting = await full()
    assert refuse_unparsed(admission, data, CLIENT) is None
    waiting.cancel()


@given(st.binary(max_size=400), st.integers(0, 400))
def test_no_bytes_break_it(data, cut):
    async def refuse():
        admission = Admission(1, 60)
        for each in (data, request()[:cut] + data, request(data)):
            assert refuse_unparsed(admission, each, CLIENT) is None, "nothing waits, so nothing is refused"

    asyncio.run(refuse())


async def test_while_there_is_room_nothing_is_refused():
    admission = Admission(1, 60, shortest=2, longest=2)
    assert admission.take()
    waiting = asyncio.create_task(admission.wait("somebody"))
    await asyncio.sleep(0)
    assert refuse_unparsed(admission, request(), CLIENT) is None
    waiting.cancel()


async def test_the_next_request_is_known_by_its_head():
    admission, waiting = await full()
    first = PlainRequest.read(admission, request(), CLIENT)
    assert first.is_head_of(request())
    assert first.is_head_of(request(body=b'{"query":"{ viewer { name } }"}')), "another body of the same length"
    assert not first.is_head_of(request(body=b"{}"))
    assert not first.is_head_of(request(Authorization="Bearer u"))
    assert not first.is_head_of(request() + b"POST")
    assert not first.is_head_of(request()[:-1])
    without = request(X_Request_Id=None)
    own = PlainRequest.read(admission, without, CLIENT)
    assert own.refusal(admission) != own.refusal(admission), "each has an id of its own"
    waiting.cancel()
