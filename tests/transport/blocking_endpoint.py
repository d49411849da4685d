"""Builds an endpoint whose operations run until the test releases them."""

import asyncio

import orjson

from execution.documents.limits import Limits
from execution.errors import ErrorWriter
from tests.transport.asgi_client import NEW, ask
from tests.transport.graphql_endpoint import SCHEMA
from transport.admission import Admission
from transport.graphql_http import GraphQLEndpoint
from transport.headers import header

__all__ = ["Blocked", "ended", "settle"]

QUERY = "query ($name: String!) { echo(text: $name) }"


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


class Blocked:
    """Wraps an endpoint whose operations run until `release()` is called; each is kept as (variable, future)."""

    def __init__(self, controlled: Admission) -> None:
        self.running: list[tuple[str, asyncio.Future[None]]] = []
        self.begun: list[str] = []
        self.app = GraphQLEndpoint(
            SCHEMA, self._execute, _viewer, ErrorWriter(), limits=Limits(), admission=controlled, flow_of=lambda viewer: viewer
        )
        # Caches the document: a new one is parsed outside the event loop, which takes longer than `settle` waits.
        self.app._documents.read(QUERY)

    async def _execute(self, operation):
        name = operation.variables["name"]
        self.begun.append(name)
        ended = asyncio.get_running_loop().create_future()
        self.running.append((name, ended))
        try:
            await ended
        finally:
            self.running.remove((name, ended))
        return b'{"data":{"echo":"%s"}}' % name.encode()

    def send(self, name: str, flow: str | None = None) -> "asyncio.Task":
        return asyncio.create_task(_send(self.app, name, flow))

    async def release(self) -> str:
        name, ended = self.running[0]
        ended.set_result(None)
        await settle()
        return name


async def _viewer(scope):
    """Returns the viewer of an Authorization header of the form `Bearer viewer` or `Bearer viewer/session`."""
    return (header(scope, b"authorization") or "").rpartition(" ")[2].partition("/")[0] or None


async def _send(app, name, flow):
    headers = {"content-type": "application/json", "accept": NEW} | ({} if flow is None else {"authorization": flow})
    body = orjson.dumps({"query": QUERY, "variables": {"name": name}})
    return await ask(app, "POST", [body], headers)


async def ended(tasks):
    return [(await each).status for each in tasks]
