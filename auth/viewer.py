"""The viewer: who is asking."""

from dataclasses import dataclass
from uuid import UUID

__all__ = ["ANONYMOUS", "Viewer"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who a request comes from. No `user_id`: nobody known, or a service token with `scopes`."""

    user_id: UUID | None
    role: str | None
    session_id: UUID | None = None
    scopes: frozenset[str] = frozenset()


ANONYMOUS = Viewer(None, None)
