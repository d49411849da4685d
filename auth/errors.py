"""What authentication answers when it says no: the same words for the same kind of no, so that nothing can be read from them."""

from math import ceil

from execution.errors import Refusal

__all__ = ["rate_limited", "unauthenticated"]


def unauthenticated(message: str = "The token is not valid (any more). Refresh the session, or sign in again.") -> Refusal:
    return Refusal("UNAUTHENTICATED", message)


def rate_limited(message: str, seconds: float) -> Refusal:
    """`retryAfter` is in whole seconds, at least one, as in the HTTP header of that name."""
    return Refusal("RATE_LIMITED", message, retryAfter=max(1, ceil(seconds)))
