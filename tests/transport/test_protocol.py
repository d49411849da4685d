"""Tests what the HTTP protocol accepts and refuses: framing, headers, hosts, upgrades. Uses sockets, and sends byte by byte where it matters."""

import contextlib
import socket
import time

import pytest

from execution.errors import internal_error_message
from tests.polling import block_until
from tests.transport.raw_http import Answer, answers, dial, only, serving
from transport import request_head
from transport.headers import SECURITY_HEADERS

GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
KIB = 1024


@pytest.fixture(scope="module")
def served():
    with serving() as served:
        yield served


def send_all(client: socket.socket, piece: bytes, times: int) -> int:
    """Returns the number of pieces that the server read until it closed the connection."""
    for n in range(times):
        try:
            client.sendall(piece)
        except (ConnectionResetError, BrokenPipeError):
            return n
    return times


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name.decode()] == value.decode()


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_requests_are_read_however_they_are_cut(served, size):
    sent = (
        POST + b"Content-Length: 5\r\n\r\nhello" + CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n" + GET + CLOSE + b"\r\n"
    )
    with dial(served) as client:
        for at in range(0, len(sent), size):
            client.sendall(sent[at : at + size])
        assert [each.body for each in answers(client)] == [b"hello", b"abcde", b""]


@pytest.mark.parametrize(
    ("start", "piece", "status", "code"),
    [
        (b"GET /", b"a" * KIB, 414, "URL_TOO_LONG"),
        (b"GET /?", b"a=%20&" * 200, 414, "URL_TOO_LONG"),
        (GET + b"A: ", b"a" * KIB, 431, "HEADERS_TOO_LARGE"),
        (GET, b"A" * KIB, 431, "HEADERS_TOO_LARGE"),
        (GET, b"A: b\r\n", 431, "HEADERS_TOO_LARGE"),
        (CHUNKED + b"0\r\nA: ", b"a" * KIB, 431, "HEADERS_TOO_LARGE"),
        (CHUNKED + b"0\r\n", b"A: b\r\n", 431, "HEADERS_TOO_LARGE"),
        (CHUNKED + b"1;", b"a" * KIB, 413, "CHUNKS_NOT_REASONABLE"),
        (CHUNKED, b"1;abcdefgh\r\na\r\n", 413, "CHUNKS_NOT_REASONABLE"),
        (CHUNKED, b"0" * KIB, 413, "CHUNKS_NOT_REASONABLE"),
    ],
)
def test_what_never_ends_is_refused_while_it_arrives(served, start, piece, status, code):
    with dial(served, start) as client:
        taken = 0
        for _ in range(60):
            taken += KIB * 64 * send_all(client, piece * (KIB * 64 // len(piece)), 1)
            time.sleep(0.001)
        assert taken < 20 << 20
        refused(only(client), status, code)
    block_until(lambda: not served.connections.open)
    assert served.connections.held_bytes == 0


@pytest.mark.parametrize("path", [b"/early", b"/echo"])
def test_a_body_that_nobody_reads_ends_the_connection(served, path):
    """Checks a request that is answered before its body of 60 MiB arrives."""
    if path == b"/early":
        with dial(served, b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 62914560\r\n\r\n") as client:
            assert send_all(client, b"a" * 65536, 960) < 960
            assert only(client).body == b"early"


def test_at_the_limit_is_within_it(served):
    url = b"/echo?" + b"a" * (64 * KIB - 6)
    with dial(served, b"GET " + url + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n") as client:
        assert only(client).status == 200
    value = b"a" * (64 * KIB - len(b"Host: x\r\nConnection: close\r\nA: \r\n"))
    with dial(served, GET + CLOSE + b"A: " + value + b"\r\n\r\n") as client:
        assert only(client).status == 200
    for over in (b"GET " + url + b"a HTTP/1.1\r\nHost: x\r\n\r\n", GET + CLOSE + b"A: " + value + b"a\r\n\r\n"):
        with dial(served, over) as client:
            assert only(client).status in (414, 431)


def test_a_large_body_with_its_head_in_one_read_is_no_large_head(served):
    with dial(served, POST + CLOSE + b"Content-Length: 200000\r\n\r\n" + b"a" * 200_000) as client:
        assert len(only(client).body) == 200_000


def test_trailers_are_no_headers(served):
    with dial(served, CHUNKED[:-2] + CLOSE + b"\r\n1\r\na\r\n0\r\nAuthorization: Bearer x\r\nHost: y\r\n\r\n") as client:
        assert only(client).body == b"a"
    names = [name for name, _ in served.scopes[-1]["headers"]]
    assert b"authorization" not in names
    assert names.count(b"host") == 1


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Host: x\r\nHost: x\r\n",
        b"Host: x\r\nhost: y\r\n",
        b"Host:\r\n",
        b"Host: a b\r\n",
        b"Host: a/b\r\n",
        b"Host: a@b\r\n",
        b"Host: x:port\r\n",
        b"Host: [::1\r\n",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_host_that_is_missing_doubled_or_no_host_is_a_400(served, method, lines):
    before = len(served.scopes)
    with dial(served, method + b" /echo HTTP/1.1\r\n" + lines + b"\r\n") as client:
        refused(only(client), 400, "HOST_NOT_VALID")
    assert len(served.scopes) == before


@pytest.mark.parametrize("host", [b"school.example", b"127.0.0.1:5000", b"[::1]:5000", b"x_y.example", b"schule.example:"])
def test_hosts_are_names_and_addresses(served, host):
    with dial(served, b"GET /echo HTTP/1.1\r\nHost: " + host + b"\r\n" + CLOSE + b"\r\n") as client:
        assert only(client).status == 200


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/echo", "/echo", b""),
        (b"/echo?a=/?b", "/echo", b"a=/?b"),
        (b"/%C3%A9?%C3%A9", "/é", b"%C3%A9"),
        (b"/echo?a#b?c", "/echo", b"a"),
        (b"//echo//", "//echo//", b""),
        (b"http://x/echo?a", "/echo", b"a"),
        (b"http://x", "/", b""),
        (b"*", "*", b""),
    ],
)
def test_a_target_is_a_path_and_a_query(served, target, path, query):
    with dial(served, b"OPTIONS " + target + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n") as client:
        assert only(client).status == 200
    assert (served.scopes[-1]["path"], served.scopes[-1]["query_string"]) == (path, query)


def test_http_1_0_needs_no_host(served):
    with dial(served, b"GET /echo HTTP/1.0\r\n\r\n") as client:
        assert only(client).status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"A b: c\r\n\r\n",
        GET + b"A: b\x00c\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n",
        CHUNKED + b"x\r\n",
        CHUNKED + b"fffffffffffffffffff\r\n",
    ],
)
def test_what_is_no_http_is_a_400_in_json(served, sent):
    with dial(served, sent) as client:
        refused(only(client), 400, "NOT_HTTP")


def test_a_websocket_is_refused_without_advice_in_the_log(served, caplog):
    upgrade = b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n"
    for path in (b"/echo", b"/graphql", b"/"):
        with dial(served, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + upgrade) as client:
            refused(only(client), 400, "UPGRADE_NOT_SUPPORTED")
    assert not [each for each in caplog.records if each.name.startswith("uvicorn") and each.levelname != "INFO"]


def test_connect_is_a_405(served):
    with dial(served, b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n") as client:
        answer = only(client)
        refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("size", [7, 10_000])
def test_a_wish_for_http_2_is_passed_over_and_the_body_is_read(served, size):
    """Checks requests as Java's client and curl --http2 send them."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
    sent = POST + upgrade + b"Content-Length: 5\r\n\r\nhello" + GET + CLOSE + b"\r\n"
    with dial(served) as client:
        for at in range(0, len(sent), size):
            client.sendall(sent[at : at + size])
        assert [(each.status, each.body) for each in answers(client)] == [(200, b"hello"), (200, b"")]


def test_a_wish_for_http_2_leaves_the_rest_of_the_request_as_it_was(served):
    upgrade = b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEA\r\n\r\n"
    with dial(served, GET + upgrade) as client:
        assert only(client).headers["connection"] == "close"
    with dial(served, GET.replace(b"1.1", b"1.0") + upgrade) as client:
        assert only(client).status == 200
    assert served.scopes[-1]["http_version"] == "1.0"


@pytest.mark.parametrize("name", [b"Accept", b"Accept-Encoding", b"Content-Type", b"Range", b"X-Forwarded-For"])
def test_lists_in_headers_are_bounded_before_they_are_taken_apart(served, name):
    with dial(served, GET + CLOSE + name + b": " + b"," * 2_048 + b"\r\n\r\n") as client:
        assert only(client).status == 200
    line = name + b": " + b"," * 40 + b"\r\n"
    for over in (name + b": " + b"," * 2_049 + b"\r\n", line * 60):
        for size in (700, 100_000):
            with dial(served) as client:
                sent = GET + over + b"\r\n"
                for at in range(0, len(sent), size):
                    client.sendall(sent[at : at + size])
                refused(only(client), 431, "HEADERS_TOO_LARGE")


def test_what_cannot_be_read_is_refused_after_the_answers_before_it(served):
    with dial(served, GET + b"\r\n" + GET + b"\r\nnonsense\r\n\r\n") as client:
        assert [each.status for each in answers(client)] == [200, 200, 400]
    with dial(served, GET + b"\r\n" + CHUNKED + b"x\r\n") as client:
        assert [each.status for each in answers(client)] == [200, 400]


def test_pipelined_requests_are_bounded(served):
    before = len(served.scopes)
    with dial(served, (GET + b"\r\n") * 5_000) as client:
        got = answers(client)
    assert 4 <= len(got) < 30
    assert got[-1].code == "TOO_MANY_PIPELINED_REQUESTS"
    assert len(served.scopes) - before == len(got) - 1


WAITS = b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n"


def with_body(size: int) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % size + b"a" * size


def test_whole_requests_in_the_pipeline_are_counted_until_they_start_and_nothing_is_read_behind_them():
    with serving() as served, dial(served, WAITS + with_body(1_000) * 2) as client:
        block_until(lambda: served.connections.queued_bytes > 2_000)
        [connection] = served.connections.open
        client.sendall(with_body(1_000))
        time.sleep(0.3)
        assert len(connection.pipeline) == 2
        served.release.set()
        client.sendall(GET + CLOSE + b"\r\n")
        assert [len(each.body) for each in answers(client)] == [0, 1_000, 1_000, 1_000, 0]
        assert served.connections.queued_bytes == 0


def test_whole_requests_in_all_pipelines_are_bounded_in_bytes():
    with serving(buffered_bytes=100_000) as served, contextlib.ExitStack() as stack:
        clients = []
        for n in range(1, 9):
            clients.append(stack.enter_context(dial(served, WAITS + with_body(20_000))))
            block_until(lambda n=n: len(served.scopes) == n)
            block_until(lambda: not served.connections.reading)
        assert served.connections.queued_bytes <= 100_000
        served.release.set()
        assert [each.status for each in answers(clients[-1])] == [200, 503]
        assert clients[0].recv(65_536).startswith(b"HTTP/1.1 200")
    assert served.connections.queued_bytes == 0


def test_an_uncaught_exception_is_a_500_in_json_that_names_the_id_in_the_log(served, caplog):
    with dial(served, b"GET /fails HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-17\r\n" + CLOSE + b"\r\n") as client:
        answer = only(client)
    refused(answer, 500, "INTERNAL_SERVER_ERROR")
    assert b"secret" not in answer.body
    assert internal_error_message("r-17").encode() in answer.body
    assert "the secret ingredient" in caplog.text
    assert "r-17" in caplog.text


def test_refusals_hold_on_to_no_frames(served):
    """Checks this because some refusals are one exception for all requests, whose traceback would grow with each."""
    for _ in range(3):
        with dial(served, b"GET / HTTP/1.1\r\n\r\n") as client:
            assert only(client).code == "HOST_NOT_VALID"
    assert request_head._NOT_ONE_HOST.__traceback__ is None
