"""Tests that the work for a client is cancelled when it disconnects, with a real server and raw sockets."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest
import strawberry
import uvicorn
from starlette.requests import ClientDisconnect
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.documents.limits import Limits
from execution.errors import ErrorWriter
from execution.fields import edge
from execution.loaders import Loader
from execution.operations import graphql_core
from execution.run.dataloaders import RequestLoaders
from transport.disconnect import ON_DISCONNECT, DisconnectWatcher
from transport.graphql_http import GraphQLEndpoint
from transport.headers import header
from transport.protocol import HTTPProtocol


class Work:
    """Runs without end, and records when it began and when it was cancelled."""

    def __init__(self):
        self.began = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def run(self):
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


class Context:
    def __init__(self):
        self.loaders = RequestLoaders(self)


class Application:
    """Wraps the endpoint, and counts the requests in progress."""

    def __init__(self, work):
        async def batch(context, keys, arguments):
            await work.run()

        loader = Loader(batch, "for ever")

        @strawberry.type
        class Thing:
            key: strawberry.Private[int] = 1
            loaded: str | None = edge(loader, "key", description="Filled by a loader.")

        @strawberry.type
        class Query:
            @strawberry.field
            def thing(self) -> Thing:
                return Thing()

            @strawberry.field
            async def direct(self) -> str | None:
                await work.run()

            @strawberry.field
            def quick(self) -> str:
                return "quick"

        async def make_context(scope):
            if header(scope, b"authorization") == "slow":
                await work.run()
            return Context()

        schema = strawberry.Schema(Query)._schema
        self.open = 0
        self._endpoint = GraphQLEndpoint(
            schema,
            graphql_core(schema, StrawberryGraphQLCoreExecutionContext, optimized_is_awaitable),
            make_context,
            ErrorWriter(),
            limits=Limits(),
            close=lambda context: context.loaders.close(),
        )

    async def __call__(self, scope, receive, send):
        self.open += 1
        try:
            await self._endpoint(scope, receive, send)
        finally:
            self.open -= 1


@asynccontextmanager
async def connection(app):
    """Connects to a server of this application; yields the reader, the writer and the server."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, loop="none", http=HTTPProtocol, ws="none")
    listening = config.bind_socket()
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listening]))
    try:
        async with asyncio.timeout(20):
            while not server.started:
                assert not serving.done(), "the server did not start"
                await asyncio.sleep(0.01)
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            yield reader, writer, server
    finally:
        server.should_exit = server.force_exit = True
        await serving
        listening.close()


def request(query, *headers, length=None):
    body = orjson.dumps({"query": query})
    lines = ["POST /graphql HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length or len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def until_done(app):
    while app.open:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("{ direct }", ()),
        ("{ thing { loaded } }", ()),
        ("{ a: thing { loaded } b: thing { loaded } direct }", ()),
        ("{ quick }", ("Authorization: slow",)),
    ],
    ids=["a resolver", "a loader", "both", "the context"],
)
async def test_what_runs_for_a_client_that_left_is_cancelled(query, headers, capsys):
    work = Work()
    app = Application(work)
    async with connection(app) as (_, writer, _):
        writer.write(request(query, *headers))
        await work.began.wait()
        assert app.open == 1
        writer.close()
        await work.cancelled.wait()
        await until_done(app)
    assert capsys.readouterr().out == "", "nothing is logged"


async def test_a_client_that_leaves_while_it_sends_is_no_error(capsys):
    app = Application(Work())
    async with connection(app) as (_, writer, _):
        writer.write(request("{ quick }", length=1_000))
        while not app.open:
            await asyncio.sleep(0.01)
        writer.close()
        await until_done(app)
    assert capsys.readouterr().out == ""


async def test_a_client_that_stays_is_answered_and_asks_again():
    app = Application(Work())
    async with connection(app) as (reader, writer, _):
        for _ in range(3):
            writer.write(request("{ quick }"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert orjson.loads(await reader.readexactly(length)) == {"data": {"quick": "quick"}}
        await until_done(app)
        writer.close()


async def test_a_server_that_is_made_to_stop_ends_what_runs():
    work = Work()
    app = Application(work)
    async with connection(app) as (_, writer, server):
        writer.write(request("{ thing { loaded } }"))
        await work.began.wait()
        server.force_exit = True
        server.should_exit = True
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", "").startswith("RequestCycle"):
                task.cancel()
        await work.cancelled.wait()
        await until_done(app)
        writer.close()


async def test_a_client_that_left_before_the_work_began_has_none_done():
    scope = {}
    async with DisconnectWatcher(scope) as watch:
        scope[ON_DISCONNECT]()
        with pytest.raises(ClientDisconnect):
            watch.begin()
    assert scope == {}
    assert not asyncio.current_task().cancelling()


async def test_nobody_is_cancelled_for_a_client_that_leaves_after_the_work():
    scope = {}
    async with DisconnectWatcher(scope) as watch:
        watch.begin()
    assert scope == {}


async def test_a_request_that_waits_has_one_task():
    """Checks this because hundreds of requests wait when the server is overloaded."""
    work = Work()
    app = Application(work)
    async with connection(app) as (_, writer, _):
        before = asyncio.all_tasks()
        writer.write(request("{ direct }"))
        await work.began.wait()
        # Long enough for any other task that would watch for the client's disconnect to start.
        await asyncio.sleep(0.2)
        assert len(asyncio.all_tasks() - before) == 1
        writer.close()
        await until_done(app)
