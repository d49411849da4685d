"""Tests that SIGTERM loses no request: accepted and incomplete ones are answered, idle connections are closed, and the process ends in time."""

import errno
import http.client
import json
import signal
import socket
import threading
import time

import pytest
import uvicorn

from http_server import DrainingServer
from tests.polling import block_until
from tests.server_process import Program
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


@pytest.fixture
def start(fresh_database_url):
    programs = []

    def starting(**settings):
        programs.append(Program(reachable_folder("drain"), **{"DATABASE_URL": fresh_database_url, "POOL_MIN_SIZE": "1"} | settings))
        programs[-1].ready()
        return programs[-1]

    yield starting
    for program in programs:
        if program.process.poll() is None:
            program.stop(signal.SIGKILL)


def dial(program, sent=b""):
    made = socket.create_connection(("127.0.0.1", program.port))
    made.settimeout(30)
    made.sendall(sent)
    return made


def rest(client):
    got = b""
    while piece := client.recv(65536):
        got += piece
    return got


def request(query, token):
    body = json.dumps({"query": query}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def code_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_half_requests_are_told_and_idle_connections_closed_and_the_process_ends_in_time(start, workers):
    program = start(WORKERS=workers, DRAIN_NOTICE_SECONDS="0.3", DRAIN_SECONDS="20")
    idle, silent, head, body = dial(program, GET), dial(program), dial(program, b"POST /graphql HTTP/1.1\r\nHo"), dial(program, POST)
    answer = b""
    while b'"uptime"' not in answer:
        answer += idle.recv(1000)
    began = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    assert rest(idle) == b""
    assert rest(silent) == b""
    for client in (head, body):
        answer = rest(client)
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nconnection: close\r\n" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]["extensions"]["code"] == "SERVER_SHUTTING_DOWN"
    assert program.process.wait(15) == 0
    assert time.monotonic() - began < 12, "far below DRAIN_SECONDS"
    assert "Traceback" not in program.said()
    for client in (idle, silent, head, body):
        client.close()


def test_half_a_request_that_becomes_whole_is_answered(start):
    program = start(DRAIN_NOTICE_SECONDS="0.1")
    body = json.dumps({"query": "{ viewer { role } }"}).encode()
    with dial(
        program, b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    ) as client:
        program.process.send_signal(signal.SIGTERM)
        block_until(lambda: program.status("/health/live") is None)
        client.sendall(body)
        answer = rest(client)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"data":{"viewer":null}}')
    assert program.process.wait(15) == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_request_that_outlasts_the_drain_is_told_in_json(start, fresh_database_url, sent):
    """Checks requests that wait for a statement that would run for minutes. The outcome of the mutations among them is unknown."""
    import psycopg

    program = start(DRAIN_NOTICE_SECONDS="0.1", DRAIN_SECONDS="1")
    query = json.dumps(
        {"query": 'mutation { signIn(input: {email: "a@b.example", password: "password-1"}) { userErrors { code } } }'}
    ).encode()
    with psycopg.connect(fresh_database_url) as locking:
        locking.execute("LOCK TABLE sign_in_throttles, users IN ACCESS EXCLUSIVE MODE")
        sending = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(query)
        with dial(program, sending + query) as client:
            time.sleep(0.5)
            program.process.send_signal(sent)
            answer = rest(client)
    assert (answer.split()[1], code_of(answer)) == (b"500", "OUTCOME_UNKNOWN")
    assert program.process.wait(20) == 0
    assert "Traceback" not in program.said()


@pytest.mark.parametrize("executor", ["breadth_first", "graphql_core"])
def test_a_request_that_is_cut_off_is_told_to_be_sent_again_only_when_it_has_not_begun_to_change_anything(start, databases, executor):
    """Checks that a query, and a mutation that waits to begin, may be sent again, but not a mutation whose first field has committed."""
    import psycopg

    url = databases.clone("demo", f"cut_{executor}")
    program = start(
        DATABASE_URL=url, EXECUTOR=executor, MAX_IN_FLIGHT="2", QUEUE_SECONDS="30", DRAIN_NOTICE_SECONDS="0.1", DRAIN_SECONDS="2"
    )
    token = program.token()

    def create(code):
        return f'{code}: createSubject(input: {{code: "{code}", name: "Cut off"}}) {{ userErrors {{ code }} }}'

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with (
        psycopg.connect(url, autocommit=True) as other,
        psycopg.connect(url) as first,
        psycopg.connect(url) as second,
    ):
        first.execute("INSERT INTO subjects (code, name) VALUES ('CUT2', 'Somebody else''s')")
        twice = dial(program, request(f"mutation {{ {create('CUT1')} {create('CUT2')} }}", token))
        block_until(lambda: other.execute(waiting).fetchone() == (1,))
        second.execute("LOCK TABLE students IN ACCESS EXCLUSIVE MODE")
        read = dial(program, request("{ students(first: 1) { nodes { id } } }", token))
        block_until(lambda: other.execute(waiting).fetchone() == (2,))
        never_began = dial(program, request(f"mutation {{ {create('CUT3')} }}", token))  # it waits in the queue
        program.process.send_signal(signal.SIGTERM)
        answers = [rest(each) for each in (twice, never_began, read)]
        assert [(each.split()[1], code_of(each)) for each in answers] == [
            (b"500", "OUTCOME_UNKNOWN"),
            (b"503", "SERVER_SHUTTING_DOWN"),
            (b"503", "SERVER_SHUTTING_DOWN"),
        ]
        assert [b"\r\nretry-after: " in each for each in answers] == [False, True, True]
        assert b"idempotency key" in answers[0]
        assert program.process.wait(20) == 0
        first.rollback()
        second.rollback()
        assert other.execute("SELECT code FROM subjects WHERE code LIKE 'CUT_'").fetchall() == [("CUT1",)]
    for each in (twice, never_began, read):
        each.close()
    databases.drop(f"cut_{executor}")


class Stream(threading.Thread):
    """Sends requests one after the other until the server no longer listens. A refused connection counts as an answer, since nothing was sent."""

    def __init__(self, program, keep_alive):
        super().__init__()
        self.program, self.keep_alive = program, keep_alive
        self.answered = 0
        self.lost = []

    def run(self):
        connection = None
        while True:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", self.program.port, timeout=10)
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    return
            try:
                connection.request("GET", "/health/live", headers={} if self.keep_alive else {"connection": "close"})
                answer = connection.getresponse()
                assert answer.status == 200
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                return
            self.answered += 1
            if answer.will_close:
                connection.close()
                connection = None


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_steady_stream_of_requests_loses_none(start, workers):
    """Checks that this includes connections that the kernel had accepted when the server was about to close its socket."""
    program = start(WORKERS=workers, DRAIN_NOTICE_SECONDS="0.5")
    streams = [Stream(program, keep_alive=n % 2 == 0) for n in range(16)]
    for each in streams:
        each.start()
    block_until(lambda: all(each.answered > 5 for each in streams))
    program.process.send_signal(signal.SIGTERM)
    for each in streams:
        each.join(30)
        assert not each.is_alive()
    assert [each.lost for each in streams] == [[]] * 16
    assert program.process.wait(15) == 0


def test_a_second_sigterm_changes_nothing(start):
    """Checks workers that get SIGTERM twice: from a supervisor that signals the whole process group, and from their parent."""
    program = start(DRAIN_NOTICE_SECONDS="1.5")
    began = time.monotonic()
    for _ in range(3):
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    assert program.status("/health/live") == 200
    assert program.process.wait(15) == 0
    assert time.monotonic() - began > 1.5


@pytest.mark.parametrize("last", [BlockingIOError, OSError(errno.EMFILE, "too many open files")])
async def test_a_connection_that_cannot_be_accepted_does_not_end_the_drain(last):
    outcomes = [ConnectionAbortedError, last]

    class Listening:
        def setblocking(self, _: bool) -> None:
            pass

        def accept(self) -> None:
            raise outcomes.pop(0)

    await DrainingServer(uvicorn.Config("server:app"))._accept_rest(Listening())
    assert not outcomes
