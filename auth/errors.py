"""Builds the errors of authentication. One message for each kind of refusal, so that the wording reveals nothing about accounts."""

from math import ceil

from execution.errors import Refusal

__all__ = ["rate_limited", "unauthenticated"]


def unauthenticated(
    message: str = "The access token is invalid or has been revoked. Refresh the session, or sign in again.",
) -> Refusal:
    """Returns an UNAUTHENTICATED error: the request has no valid token."""
    return Refusal("UNAUTHENTICATED", message)


def rate_limited(message: str, seconds: float) -> Refusal:
    """Returns a RATE_LIMITED error. `seconds` is rounded up to whole seconds, at least 1, as the Retry-After header requires."""
    return Refusal("RATE_LIMITED", message, retryAfter=max(1, ceil(seconds)))
