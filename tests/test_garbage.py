"""What a request holds is freed as soon as it ends: for what has waited for a while, the garbage collector comes hours later."""

import asyncio
import gc
import json
from collections import Counter
from contextlib import contextmanager

import pytest

from execution.documents.indexed_source import IndexedSource
from tests.in_process_server import serving

ROOMS = ("app", "auth", "db", "execution", "gateways", "resolvers", "schema", "transport")
LARGE = json.dumps({"query": "{ viewer { role } }" + " " * 200_000}).encode()


class Left(Counter):
    """The server's objects that only the garbage collector found, by class."""


@contextmanager
def left_over():
    """Collects what the block leaves, and no more: everything that exists before it is left alone."""
    found = Left()
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        # Validators of graphql-core are cycles: SerialWorker has what they leave collected at once.
        gc.garbage[:] = [each for each in gc.garbage if type(each) is not IndexedSource]
        found.update(type(each).__qualname__ for each in gc.garbage if type(each).__module__.partition(".")[0] in ROOMS)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()


def head(token, length):
    return f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n".encode()


async def leave(client, sent, *, until=b""):
    """Sends this, reads until something arrives, and leaves without a word."""
    state = client.server.server_state
    others = len(state.connections)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(client.url.rpartition(":")[2]))
    writer.write(sent)
    if until:
        await reader.readuntil(until)
    else:
        await asyncio.sleep(0.05)
    writer.transport.abort()
    async with asyncio.timeout(20):
        while len(state.connections) > others or state.tasks:
            await asyncio.sleep(0.01)


DOCUMENTS = {
    "answered": "{ students(first: 3) { nodes { name class { name } } } }",
    "refused as a whole": "{ nothing }",
    "refused in a field": "{ systemHealth { status } }",
    "with an error of its own": '{ student(id: "x") { name } }',
    "a mutation with a user error": 'mutation { signIn(input: {email: "nobody@x.example", password: "a guess of many"}) { userErrors { code } } }',
    "a mutation that is refused": 'mutation { refreshSession(input: {refreshToken: "x"}) { userErrors { code } } }',
}


@pytest.mark.parametrize("what", DOCUMENTS)
async def test_a_request_leaves_nothing_to_the_garbage_collector(demo_url, what):
    async with serving(demo_url) as client:
        token = await client.token("teacher@demo.school")
        body = json.dumps({"query": DOCUMENTS[what]}).encode()
        request = head(token, len(body)) + body
        await leave(client, request, until=b"}")
        with left_over() as found:
            await leave(client, request, until=b"}")
        assert not found


PARTS = {
    "half a body": lambda token: head(token, 1_000) + b"{",
    "pipelined requests": lambda token: (head(token, len(LARGE)) + LARGE) * 3,
    "too many pipelined requests": lambda token: (head(token, len(LARGE)) + LARGE) + (head(token, 2) + b"{}") * 20,
    "no HTTP": lambda token: b"hello\r\n\r\n",
    "a head that is refused": lambda token: b"GET / HTTP/1.1\r\n\r\n",
    "a body that is refused": lambda token: head(token, 10**9) + LARGE,
}


@pytest.mark.parametrize("what", PARTS)
async def test_a_connection_leaves_nothing_to_the_garbage_collector(demo_url, what):
    async with serving(demo_url) as client:
        token = await client.token("teacher@demo.school")
        await leave(client, PARTS[what](token))
        with left_over() as found:
            await leave(client, PARTS[what](token))
        assert not found
