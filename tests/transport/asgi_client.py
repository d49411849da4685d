"""Sends requests to an ASGI application without a network, and collects the complete response."""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson

__all__ = ["NEW", "Answer", "ask", "post"]

NEW = "application/graphql-response+json"


@dataclass
class Answer:
    """Holds a response. The names of `headers` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str | None:
        """Returns the code of the only error; None without errors."""
        errors = self.json.get("errors")
        return None if errors is None else errors[0]["extensions"]["code"]


async def ask(app: Any, method: str, body: list[bytes], headers: dict[str, str], query_string: str = "") -> Answer:
    """Sends a request with its body in the given pieces, as a client that stays connected until it is answered."""
    pieces = [{"type": "http.request", "body": piece, "more_body": n + 1 < len(body)} for n, piece in enumerate(body)]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop(0) if pieces else await asyncio.Event().wait() and {}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/graphql",
        "query_string": query_string.encode("latin-1"),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "state": {"request_id": "r1"},
    }
    await app(scope, receive, send)
    start, *rest = sent
    given = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], given, b"".join(each["body"] for each in rest))


async def post(app: Any, query: Any, accept: str | None = NEW, **parameters: Any) -> Answer:
    """Sends a GraphQL request by POST, as clients do."""
    headers = {"content-type": "application/json"} | ({} if accept is None else {"accept": accept})
    return await ask(app, "POST", [orjson.dumps({"query": query, **parameters})], headers)
