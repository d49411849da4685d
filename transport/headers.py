"""Reads request headers, and defines the headers that every response has."""

from starlette.types import Scope

__all__ = ["BY_NAME", "SECURITY_HEADERS", "UNSENT", "header"]

# The key in a request's scope under which a response that is sent in pieces keeps the number of bytes still to be sent.
UNSENT = "rollcall.unsent"

# Sent with every response. The explorer's page adds its own Content-Security-Policy.
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

BY_NAME = "rollcall.headers"


def header(scope: Scope, name: bytes) -> str | None:
    """Returns the first value of the header with this name (in lower case), decoded as Latin-1; None if the request has no such header."""
    known = scope.get(BY_NAME)
    if known is None:
        # A dictionary pays off: serving a request looks up eight headers.
        known = scope[BY_NAME] = dict(reversed(scope["headers"]))
    value = known.get(name)
    return None if value is None else str(value, "latin-1")
