"""Scalars that GraphQL does not bring."""

from typing import Any, NewType
from uuid import UUID

import strawberry

__all__ = ["SCALARS", "BigInt"]


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (AttributeError, TypeError, ValueError):
        raise ValueError("Not a UUID.") from None


BigInt = NewType("BigInt", int)

SCALARS: dict[Any, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt", description="An integer that may be larger than 32 bits, as a JSON number.", serialize=int, parse_value=int
    ),
    UUID: strawberry.scalar(name="UUID", description="A UUID, in the usual notation.", serialize=str, parse_value=_uuid),
}
