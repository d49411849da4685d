"""Tests that what a persistent connection remembers of its last request is used for the next one only if it is the same."""

import pytest

from tests.transport.raw_http import answers, dial, serving

CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module")
def served():
    with serving() as served:
        yield served


@pytest.mark.parametrize("lines", [b"", b"Host: \r\n", b"Host: a b\r\n", b"Host: x\r\nHost: x\r\n"])
def test_a_host_is_looked_at_anew_when_it_changes(served, lines):
    with dial(served, b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\nGET /echo HTTP/1.1\r\n" + lines + b"\r\n") as client:
        assert [each.status for each in answers(client)] == [200, 400]


def test_a_request_without_a_host_teaches_nothing(served):
    before = len(served.scopes)
    with dial(served, b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /echo HTTP/1.1\r\n\r\n") as client:
        assert answers(client)[0].status == 200
    assert len(served.scopes) == before + 1


@pytest.mark.parametrize("target", [b"/echo?b", b"/echo", b"/%C3%A9?a", b"/" + b"a" * 300, b"/echo?a=1"])
def test_a_target_is_taken_apart_anew_when_it_changes(served, target):
    with dial(served, b"GET /echo?a HTTP/1.1\r\nHost: x\r\n\r\nGET " + target + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n") as client:
        assert len(answers(client)) == 2
    alone = served.scopes[-1]
    with dial(served, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n") as client:
        assert len(answers(client)) == 1
    again = served.scopes[-1]
    for name in ("path", "raw_path", "query_string"):
        assert alone[name] == again[name]
