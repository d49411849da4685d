"""Sends GraphQL requests to an ASGI application in this process, as uvicorn would after parsing them, without sockets."""

import asyncio
from typing import Any

__all__ = ["post_graphql"]


async def post_graphql(app: Any, body: bytes, token: str | None) -> tuple[int, bytes]:
    """Sends a request with a JSON body, and an access token unless it is None. Returns the status and the body of the response."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop() if waiting else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"x"), (b"content-type", b"application/json"), (b"accept", b"application/json")]
    if token is not None:
        headers.append((b"authorization", b"Bearer " + token.encode()))
    scope = {"type": "http", "method": "POST", "path": "/graphql", "root_path": "", "query_string": b"", "headers": headers, "state": {}}
    await app(scope | {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "scheme": "http", "http_version": "1.1"}, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent)
