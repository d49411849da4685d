"""Scalars that GraphQL does not bring."""

from typing import Any, NewType

import strawberry

__all__ = ["SCALARS", "BigInt"]

BigInt = NewType("BigInt", int)

SCALARS: dict[Any, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt", description="An integer that may be larger than 32 bits, as a JSON number.", serialize=int, parse_value=int
    )
}
