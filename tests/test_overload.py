"""Tests more requests over HTTP than the server can run: the excess is refused quickly, and health probes are answered."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager

import asyncpg
import uvloop

from http_server import listeners
from tests.in_process_server import serving
from transport.admission import ADMISSION

GRADES = "{ students(first: 5) { nodes { name grades(first: 3) { nodes { percentage } } } } }"


def admission_of(client):
    """Returns the process's admission, which the protocol and the GraphQL endpoint share."""
    return client.server.lifespan.state[ADMISSION]


async def test_probes_are_answered_and_operations_refused_while_all_places_are_taken(demo_url):
    async with serving(demo_url, max_in_flight=2, queue_seconds=0.2, cors_origins=["https://school.example"]) as client:
        token = await client.token("admin@demo.school")
        assert (await client.data(GRADES, token=token))["students"]["nodes"]
        locking = await asyncpg.connect(demo_url)
        try:
            async with asyncio.timeout(30), locking.transaction():
                await locking.execute("LOCK TABLE grades IN ACCESS EXCLUSIVE MODE")
                blocked = [asyncio.create_task(client.data(GRADES, token=token)) for _ in range(2)]
                while admission_of(client).running < 2:
                    await asyncio.sleep(0.01)
                refused = await client.post("{ viewer { role } }", token=token, headers={"origin": "https://school.example"})
                assert refused.status_code == 503
                assert refused.json()["errors"][0]["extensions"] == {"code": "OVERLOADED", "retryAfter": 1}
                assert refused.headers["retry-after"] == "1"
                # Has the headers that browsers and support need, like every response.
                assert refused.headers["x-request-id"]
                assert refused.headers["access-control-allow-origin"] == "https://school.example"
                for path in ("/health", "/health/live", "/health/ready"):
                    assert (await client.http.get(path)).status_code == 200
            for each in blocked:
                assert (await each)["students"]["nodes"]
            assert (await client.data("{ viewer { role } }", token=token))["viewer"]
        finally:
            await locking.close()


async def test_a_client_that_leaves_the_queue_or_a_running_operation_gives_its_place_back(demo_url):
    """Checks this through all middleware, since the endpoint must get the same scope object as the protocol."""
    async with serving(demo_url, max_in_flight=1, queue_seconds=600) as client:
        token = await client.token("admin@demo.school")
        assert (await client.data(GRADES, token=token))["students"]["nodes"]
        admission, port = admission_of(client), int(client.url.rpartition(":")[2])
        body = json.dumps({"query": GRADES}).encode()
        locking = await asyncpg.connect(demo_url)
        try:
            async with asyncio.timeout(60), locking.transaction():
                await locking.execute("LOCK TABLE grades IN ACCESS EXCLUSIVE MODE")
                clients = []
                for running, waiting in ((1, 0), (1, 1)):
                    clients.append((await asyncio.open_connection("127.0.0.1", port))[1])
                    clients[-1].write(head(body, f"Authorization: Bearer {token}") + body)
                    while (admission.running, admission.waiting) != (running, waiting):
                        await asyncio.sleep(0.01)
                for running, waiting in ((1, 0), (0, 0)):
                    clients.pop().close()
                    while (admission.running, admission.waiting) != (running, waiting):
                        await asyncio.sleep(0.01)
        finally:
            await locking.close()


@asynccontextmanager
async def overloaded(client):
    """Takes all places, and leaves no room in the queue."""
    admission = admission_of(client)
    admission._room = 1
    while admission.take():
        pass
    waiting = asyncio.create_task(admission.wait("somebody"))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        waiting.cancel()
        for _ in range(admission.limit):
            admission.leave()


async def exchange(client, head, body=b""):
    """Sends bytes on a connection and reads one response: its head in lower case, and its body."""
    reader, writer = client
    writer.write(head + body)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    return answer, await reader.readexactly(int(answer.partition("content-length: ")[2].partition("\r\n")[0]))


def head(body, *lines):
    return "\r\n".join(
        ["POST /graphql HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines, "", ""]
    ).encode()


async def test_the_connection_of_a_refused_request_is_kept_and_its_body_is_not_taken_for_another_request(demo_url):
    async with serving(demo_url, queue_seconds=30, anonymous_max_body_bytes=262_144) as client:
        port = int(client.url.rpartition(":")[2])
        body = json.dumps({"query": "{ viewer { role } }", "variables": {"x": "GET / HTTP/1.1\r\n\r\n" * 5_000}}).encode()
        connection = await asyncio.open_connection("127.0.0.1", port)
        async with overloaded(client):
            for _ in range(3):
                answer, text = await exchange(connection, head(body), body)
                assert answer.startswith("http/1.1 503 ")
                assert json.loads(text)["errors"][0]["extensions"]["code"] == "OVERLOADED"
            # It is sent without waiting for the body.
            answer, _ = await exchange(connection, head(body, "Expect: 100-continue"))
            assert answer.startswith("http/1.1 503 ")
            connection[1].write(body)
        answer, text = await exchange(connection, head(body), body)
        assert (answer[9:12], json.loads(text)["data"]) == ("200", {"viewer": None})
        connection[1].close()


async def test_a_refusal_of_the_protocol_is_the_endpoints_word_for_word(demo_url):
    """Checks that the refusal has the same status, headers and body although it is made without the application."""
    async with serving(demo_url, queue_seconds=30) as client:
        port = int(client.url.rpartition(":")[2])
        async with overloaded(client):
            for accept in ("application/json", "application/graphql-response+json"):
                answers = []
                for origin in ([], ["Origin: https://elsewhere.example"]):  # with an Origin header, the endpoint answers
                    connection = await asyncio.open_connection("127.0.0.1", port)
                    lines = [f"Accept: {accept}", "X-Request-Id: mine", "Connection: close", *origin]
                    answer, text = await exchange(connection, head(b"{}", *lines), b"{}")
                    assert await connection[0].read() == b"", "closed, as the client wished"
                    connection[1].close()
                    fields = [each for each in answer.split("\r\n") if not each.startswith("date: ")]
                    answers.append((fields[0], sorted(fields), text))
                assert answers[0] == answers[1]
                assert "x-request-id: mine" in answers[0][1]
            assert (await client.http.get("/health/live")).status_code == 200


async def test_a_browser_from_another_origin_can_read_that_it_is_refused(demo_url):
    async with serving(demo_url, queue_seconds=30, cors_origins=["https://school.example"]) as client, overloaded(client):
        refused = await client.post("{ viewer { role } }", headers={"origin": "https://school.example"})
        assert refused.status_code == 503
        assert refused.headers["access-control-allow-origin"] == "https://school.example"


def test_a_turn_of_the_event_loop_accepts_many_connections():
    """Checks this because libuv accepts one connection per listener and iteration: at 10 ms per iteration, one listener would accept 100 a second."""

    async def turns_for(connections):
        made = []

        class Protocol(asyncio.Protocol):
            def connection_made(self, _):
                made.append(1)

        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        loop, clients = asyncio.get_running_loop(), []
        servers = [await loop.create_server(Protocol, sock=each) for each in listeners(listening)]
        for _ in range(connections):
            client = socket.create_connection(listening.getsockname())
            clients.append(client)
        turns = 0
        while len(made) < connections and turns < 2 * connections:
            await asyncio.sleep(0)
            turns += 1
        for each in (*servers, *clients):
            each.close()
        return turns

    assert uvloop.run(turns_for(96)) < 30


async def test_one_clients_new_documents_shut_nobody_out(demo_url):
    async with serving(demo_url) as client:
        flood, token = await client.token("student@demo.school"), await client.token("admin@demo.school")
        codes = set()

        async def send(number):
            for n in range(3):
                answer = await client.post(f"{{ viewer {{ role no{number}_{n} {'role ' * 100} }} }}", token=flood)
                codes.add(answer.json()["errors"][0]["extensions"]["code"])

        flooding = [asyncio.create_task(send(number)) for number in range(100)]
        # A school signs in from one address, with the values written into the documents.
        school = [asyncio.create_task(client.post(f'{{ viewer {{ role }} node(id: "{n}") {{ id }} }}')) for n in range(300)]
        await asyncio.sleep(0)
        for number in range(10):
            assert (await client.data(f"{{ viewer {{ a{number}: role }} }}", token=token))["viewer"] == {f"a{number}": "ADMIN"}
        for each in school:
            assert "OVERLOADED" not in (await each).text
        await asyncio.gather(*flooding)
        assert codes >= {"GRAPHQL_VALIDATION_FAILED"}
