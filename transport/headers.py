"""Reading request headers from an ASGI scope."""

from starlette.types import Scope

__all__ = ["header"]

_BY_NAME = "rollcall.headers"


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of this name (in lower case) as text; None when there is none."""
    known = scope.get(_BY_NAME)
    if known is None:
        # A request asks for eight of them.
        known = scope[_BY_NAME] = dict(reversed(scope["headers"]))
    value = known.get(name)
    return None if value is None else str(value, "latin-1")
