"""Refuses operations before their bodies are read while the server is overloaded. The responses are built once, so that a refusal costs little."""

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
    """Sends the OVERLOADED response (503) without reading the request's body."""
    await _REFUSALS[chosen_media_type(header(scope, b"accept")) or JSON](scope, receive, send)


def early_refusal(admission: Admission, scope: Any) -> bytes | None:
    """Returns the rest of a refusal's response, after the status line and the server's default headers; None if the request may go on.

    The HTTP protocol calls this: without a task, middleware and the application a refusal costs half as much. Cross-origin requests of browsers always
    go on to the application, because their response needs CORS headers.
    """
    if scope["path"] != admission.path or scope["method"] != "POST" or header(scope, b"origin") is not None:
        return None
    return refusal_bytes(scope) if admission.refuses_unread(provisional_flow(scope)) else None


def refusal_bytes(scope: Any) -> bytes:
    """Returns the rest of a refusal's response: the headers that follow the server's default ones, and the body."""
    return b"x-request-id: " + request_id_of(scope).encode() + b"\r\n" + _BYTES[chosen_media_type(header(scope, b"accept")) or JSON]
