"""Translates database errors into refusals that a client can act on."""

from db.errors import constraint_error, failure
from execution.errors import Refusal

__all__ = ["to_refusal"]


def to_refusal(error: BaseException) -> Refusal | None:
    """Returns the refusal for an exception of the database, or None for any other exception."""
    broken = constraint_error(error)
    if broken is not None:
        return Refusal("BAD_USER_INPUT", broken.message, reason=broken.code, field=broken.field)
    known = failure(error)
    return None if known is None else Refusal(*known)
