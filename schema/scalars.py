"""Scalars that GraphQL does not bring."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType
from uuid import UUID

import strawberry

__all__ = ["SCALARS", "BigInt"]


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (AttributeError, TypeError, ValueError):
        raise ValueError("Not a UUID.") from None


def _datetime(value: Any) -> datetime:
    """A moment. One without its offset from UTC would be another moment in every time zone: refused."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Not a date and time as ISO 8601 writes it: 2026-03-18T10:15:00+01:00.") from None
    if found.tzinfo is None:
        raise ValueError("A date and time needs its offset from UTC: Z, or +01:00.")
    return found


def _decimal(value: Any) -> Decimal:
    """A number. What is none, or is infinite, compares with nothing."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("Not a decimal number.") from None
    if not found.is_finite():
        raise ValueError("Not a finite number.")
    return found


BigInt = NewType("BigInt", int)

SCALARS: dict[Any, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt", description="An integer that may be larger than 32 bits, as a JSON number.", serialize=int, parse_value=int
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="A decimal number, as a string: nothing of it is rounded on the way.",
        serialize=str,
        parse_value=_decimal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, as ISO 8601 writes it, with its offset from UTC: `2026-03-18T10:15:00+01:00`.",
        serialize=datetime.isoformat,
        parse_value=_datetime,
    ),
    UUID: strawberry.scalar(name="UUID", description="A UUID, in the usual notation.", serialize=str, parse_value=_uuid),
}
