"""The fields of every record: when it was created and changed, and its version."""

from typing import Any

import strawberry

__all__ = ["created_at_field", "updated_at_field", "version_field"]


def created_at_field() -> Any:
    """Declares `createdAt`."""
    return strawberry.field(description="When the record was created.")


def updated_at_field() -> Any:
    """Declares `updatedAt`."""
    return strawberry.field(description="When the record last changed.")


def version_field() -> Any:
    """Declares `version`, for optimistic locking."""
    return strawberry.field(description="The version of the record, which increases with every change. Send it with an update.")
