"""Tests how request headers are read, and where a request id is: in the log, in the state and in the response."""

from telemetry.logs import REQUEST_ID
from transport.headers import header
from transport.request_id import RequestIdMiddleware


def test_of_headers_with_one_name_the_first_counts():
    scope = {"headers": [(b"accept", b"first"), (b"accept", b"second"), (b"x", b"\xe9")]}
    assert (header(scope, b"accept"), header(scope, b"x"), header(scope, b"y")) == ("first", "é", None)


async def test_the_log_knows_the_id_while_the_request_lasts_and_not_longer():
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["state"]["request_id"], REQUEST_ID.get()))

    for given in (b"mine", b"not plain!"):
        await RequestIdMiddleware(app)({"type": "http", "headers": [(b"x-request-id", given)]}, None, None)
        assert REQUEST_ID.get() is None
    assert seen[0] == ("mine", "mine")
    assert seen[1][0] == seen[1][1] != "not plain!"
