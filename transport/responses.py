"""Builds HTTP responses: media type, status, headers, and a code for every refusal.

As `application/graphql-response+json`, a request whose operation was not executed is answered with 4xx or 5xx. As `application/json`, a well-formed
request is always answered with 200, since clients of that type can't tell a 400 of this server from a proxy's; malformed, unauthenticated and
rate-limited requests have the status of their code in both.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from execution.errors import Refusal
from transport.header_lines import keep_lines
from transport.headers import UNSENT, header
from transport.negotiation import GRAPHQL_RESPONSE_JSON, JSON

__all__ = ["JSONBytesResponse", "WithHeaders", "http_exception_response", "refusal_response", "response"]

# Codes of refusals of the request as a whole, rather than of its GraphQL. They have this status in both media types.
_STATUS = {
    # As Apollo Server answers it: Apollo's clients for iOS and Kotlin send the document only after a 200.
    "PERSISTED_QUERY_NOT_SUPPORTED": 200,
    "INVALID_JSON": 400,
    "INVALID_REQUEST": 400,
    "BATCHING_NOT_SUPPORTED": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "BODY_TOO_LARGE": 413,
    "URL_TOO_LONG": 414,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "COST_BUDGET_EXCEEDED": 429,
    "RATE_LIMITED": 429,
    "INTERNAL_SERVER_ERROR": 500,
    "OUTCOME_UNKNOWN": 500,
    "OVERLOADED": 503,
    "POOL_TIMEOUT": 503,
    "DATABASE_UNAVAILABLE": 503,
    "STORAGE_FULL": 503,
    "QUERY_TIMEOUT": 504,
}


_PIECE = 131_072
_ALWAYS = {"Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}


class JSONBytesResponse:
    """Sends a complete body, as nearly all responses are. Does the same as `response(body, media_type)` with less work per request."""

    __slots__ = ("_body", "_headers", "_media_type")

    def __init__(self, body: bytes, media_type: str, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self._body = body
        self._media_type = media_type
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % len(self._body)), *_HEADERS[self._media_type], *self._headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if len(self._body) <= _PIECE or header(scope, b"accept-encoding") is None:
            await send({"type": "http.response.body", "body": self._body})
        else:
            await self._send_in_pieces(scope, send)

    async def _send_in_pieces(self, scope: Scope, send: Send) -> None:
        """Sends a large body piece by piece, so that the event loop can serve other requests between compressing two pieces."""
        for start in range(0, len(self._body), _PIECE):
            more = start + _PIECE < len(self._body)
            rest = scope[UNSENT] = len(self._body) - start
            await send({"type": "http.response.body", "body": self._body[start : start + _PIECE], "more_body": more})
            scope[UNSENT] = max(0, rest - _PIECE)
            await asyncio.sleep(0)


class WithHeaders:
    """Sends a response with additional headers."""

    __slots__ = ("_answer", "_headers")

    def __init__(self, answer: ASGIApp, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._answer = answer
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._answer(scope, receive, send_more)


_HEADERS = {
    media_type: [
        (name.lower().encode(), value.encode()) for name, value in {"Content-Type": f"{media_type}; charset=utf-8", **_ALWAYS}.items()
    ]
    for media_type in (JSON, GRAPHQL_RESPONSE_JSON)
}
for _each in _HEADERS.values():
    keep_lines(_each)


def response(
    body: Mapping[str, Any] | bytes, media_type: str = JSON, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Returns a response. `body` is JSON as bytes, or an object to serialise; raises TypeError if it is not serialisable."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(content, status, {**_ALWAYS, **(headers or {})}, f"{media_type}; charset=utf-8")


def refusal_response(refusal: Refusal, media_type: str = JSON) -> Response:
    """Returns the response to a refused request. The refusal's `allow` and `retryAfter` become headers."""
    extensions = dict(refusal.extensions)
    headers = {}
    allow = extensions.pop("allow", None)
    if allow:
        headers["Allow"] = str(allow)
    status = _STATUS.get(refusal.code, 200 if media_type == JSON else 400)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="rollcall"'
    if "retryAfter" in extensions or status == 503:
        headers["Retry-After"] = str(extensions.get("retryAfter", 1))
    return response({"errors": [{"message": refusal.message, "extensions": extensions}]}, media_type, status, headers)


# The Allow header of routes for which Starlette doesn't set one: those of static files.
_READING = "GET, HEAD"


async def http_exception_response(_: Request, error: Exception) -> Response:
    """Answers errors of Starlette's routing in JSON with a code: an unknown path (404), and a method that its route doesn't have (405)."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        return refusal_response(Refusal("NOT_FOUND", "There is nothing at this path. Check the URL."))
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", _READING)
        allow = ", ".join(sorted(each.strip() for each in allow.split(",")))
        return refusal_response(Refusal("METHOD_NOT_ALLOWED", f"Use {allow.replace(', ', ' or ')}.", allow=allow))
    body = {"errors": [{"message": error.detail, "extensions": {"code": "INVALID_REQUEST"}}]}
    return response(body, status=error.status_code, headers=error.headers)
