"""Cursors: opaque to clients, a row's place in an order to us. They survive inserts, since they name a place and not a count."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["Cursor", "read_cursor", "write_cursor"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place: the text of the order's expression, and the row's id to break ties."""

    value: str
    id: UUID


def write_cursor(order: str, value: str, identifier: UUID) -> str:
    return urlsafe_b64encode(f"{order}:{identifier.hex}:{value}".encode()).rstrip(b"=").decode()


def read_cursor(text: str, order: str, sql_type: str) -> Cursor:
    """The place that a cursor names. Raises ValueError, with a sentence for the client, for a cursor that this list in this order never gave."""
    try:
        decoded = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        given, identifier, value = decoded.split(":", 2)
        place = Cursor(value, UUID(hex=identifier))
        if "\x00" in value:
            raise ValueError
        _READ[sql_type](value)
    except (ValueError, KeyError, ArithmeticError, binascii.Error):
        raise ValueError("is not a cursor of this list") from None
    if given != order:
        raise ValueError("comes from this list in another order")
    return place


def _moment(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda value: value if value in ("infinity", "-infinity") else read(value)


def _finite(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return number


def _within(bits: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(value)
        return number

    return read


# What PostgreSQL will be asked to cast is looked at first: a cursor that was tampered with is the client's error, not the database's.
_READ: dict[str, Callable[[str], Any]] = {
    "text": str,
    "date": _moment(date.fromisoformat),
    "timestamptz": _moment(datetime.fromisoformat),
    "numeric": _finite,
    "smallint": _within(16),
    "integer": _within(32),
    "bigint": _within(64),
}
