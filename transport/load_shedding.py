"""Refusals of operations before their bodies are read, while the server is overloaded. The answers are made once: a refusal must cost next to nothing."""

from typing import Any

from starlette.types import Receive, Scope, Send

from transport.admission import Admission, overloaded
from transport.flow_keys import provisional_flow
from transport.headers import SECURITY_HEADERS, header
from transport.negotiation import GRAPHQL_RESPONSE_JSON, JSON, chosen_media_type
from transport.request_id import request_id_of
from transport.responses import refusal_response

__all__ = ["early_refusal", "refusal_bytes", "send_overloaded"]

_REFUSALS = {media_type: refusal_response(overloaded(), media_type) for media_type in (JSON, GRAPHQL_RESPONSE_JSON)}
_BYTES = {
    media_type: b"".join(b"%s: %s\r\n" % each for each in (*answer.raw_headers, *SECURITY_HEADERS)) + b"\r\n" + bytes(answer.body)
    for media_type, answer in _REFUSALS.items()
}


async def send_overloaded(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 503 without a look at the request's body."""
    await _REFUSALS[chosen_media_type(header(scope, b"accept")) or JSON](scope, receive, send)


def early_refusal(admission: Admission, scope: Any) -> bytes | None:
    """Returns the end of a whole answer, after a status line and the server's own headers, for an operation that is refused; None to go on.

    For the protocol: without middleware, a task and an application, a refusal costs half. What a browser sends from another origin goes on, since
    the answer needs more headers.
    """
    if scope["path"] != admission.path or scope["method"] != "POST" or header(scope, b"origin") is not None:
        return None
    return refusal_bytes(scope) if admission.refuses_unread(provisional_flow(scope)) else None


def refusal_bytes(scope: Any) -> bytes:
    """Returns the end of the answer to a request that is refused: the headers after the server's own, and the body."""
    return b"x-request-id: " + request_id_of(scope).encode() + b"\r\n" + _BYTES[chosen_media_type(header(scope, b"accept")) or JSON]
