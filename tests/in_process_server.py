"""Runs the application in this process behind a real HTTP server on a free port, and builds a client for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn

from app import create_app
from config import Settings
from transport.protocol import HTTPProtocol

__all__ = ["PASSWORD", "Client", "serving"]

PASSWORD = "rollcall-demo"


class Client:
    """Sends requests over HTTP. `app` is the application, for tests that need to access its internals."""

    def __init__(self, http: httpx2.AsyncClient, app: Any, server: uvicorn.Server, url: str) -> None:
        self.http = http
        self.app = app
        self.server = server
        self.url = url

    async def post(self, query: str, *, token: str | None = None, **options: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        return await self.http.post("/graphql", json={"query": query, **options}, headers=headers)

    async def data(self, query: str, *, token: str | None = None, **variables: Any) -> Any:
        answer = (await self.post(query, token=token, variables=variables)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def token(self, email: str) -> str:
        query = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code message } } }"
        data = await self.data(query, input={"email": email, "password": PASSWORD})
        assert data["signIn"]["session"], data
        return data["signIn"]["session"]["accessToken"]


@asynccontextmanager
async def serving(url: str, **settings: Any) -> AsyncIterator[Client]:
    """Serves the school of a database and yields a client."""
    app = create_app(Settings(environment=settings.pop("environment", "test"), database_url=url, pool_min_size=1, **settings))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="on", loop="none", http=HTTPProtocol, ws="none"
    )
    listening = config.bind_socket()
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listening]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.01)
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        async with httpx2.AsyncClient(base_url=base, timeout=httpx2.Timeout(30, pool=None)) as http:
            yield Client(http, app, server, base)
    finally:
        server.should_exit = True
        await task
        listening.close()
