"""Defines the viewer: the user or service on whose behalf a request is executed."""

from dataclasses import dataclass
from uuid import UUID

__all__ = ["ANONYMOUS", "Viewer"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The authenticated identity of a request. Without a `user_id` it is anonymous, or a service token that has `scopes`."""

    user_id: UUID | None
    role: str | None
    session_id: UUID | None = None
    scopes: frozenset[str] = frozenset()


ANONYMOUS = Viewer(None, None)
