"""Headers of requests, and those that every answer has."""

from starlette.types import Scope

__all__ = ["BY_NAME", "SECURITY_HEADERS", "UNSENT", "header"]

# Where in a request's scope an answer that is sent in pieces says how many bytes of it are still to be sent.
UNSENT = "rollcall.unsent"

# On every answer. The explorer's page adds a Content-Security-Policy of its own.
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
    """The first header of this name (in lower case) as text; None when there is none."""
    known = scope.get(BY_NAME)
    if known is None:
        # A request asks for eight of them.
        known = scope[BY_NAME] = dict(reversed(scope["headers"]))
    value = known.get(name)
    return None if value is None else str(value, "latin-1")
