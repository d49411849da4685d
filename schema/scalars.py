"""Custom scalars. Each accepts one notation in ASCII, even where Python's own parser accepts more."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

import strawberry
from strawberry.schema.types.base_scalars import isoformat

from rules.decimals import read_decimal

__all__ = ["SCALARS", "BigInt"]

_RFC_3339 = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
_TIME_OF_DAY = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_OFFSET = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(rf"{_DATE.pattern}T{_TIME_OF_DAY}{_OFFSET}?")
_TIME = re.compile(rf"{_TIME_OF_DAY}{_OFFSET}?")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


def _written_as(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _uuid(value: Any) -> UUID:
    if not _written_as(_UUID, value):
        raise ValueError("Not a UUID: write it as 01890a5d-ac96-774b-bcce-b302099a8057.")
    return UUID(value)


def _date(value: Any) -> date:
    try:
        if _written_as(_DATE, value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("Not a date: write it as 2026-03-18.")


def _datetime(value: Any) -> datetime:
    """Parses a date and time. One without an offset from UTC is ambiguous and refused."""
    try:
        found = datetime.fromisoformat(value) if _written_as(_DATE_TIME, value) else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError("Not a date and time: write it as 2026-03-18T10:15:00+01:00.")
    if found.tzinfo is None:
        raise ValueError("A date and time needs its offset from UTC: Z, or +01:00.")
    return found


def _time(value: Any) -> time:
    if not _written_as(_TIME, value):
        raise ValueError("Not a time of day: write it as 10:15:00.")
    return time.fromisoformat(value)


def _decimal(value: Any) -> Decimal:
    """Parses a decimal number from a string, or from a JSON number without an exponent."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError('Not a decimal number: write it as a string, such as "12.50".')  # noqa: TRY004 - graphql-core takes a ValueError
    return read_decimal(value if isinstance(value, str) else repr(value))


def _big_int(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError("Not a 64-bit integer.")
    return value


BigInt = NewType("BigInt", int)

SCALARS: dict[Any, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt", description="An integer of up to 64 bits, as a JSON number.", serialize=int, parse_value=_big_int
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description="A decimal number as a string, so that no precision is lost: digits with an optional minus sign and decimal"
        " point, without an exponent, such as `12.50`.",
        serialize=str,
        parse_value=_decimal,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A date in the Gregorian calendar, such as `2026-03-18`.",
        specified_by_url=_RFC_3339,
        serialize=isoformat,
        parse_value=_date,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A date and time in ISO 8601 format with an offset from UTC, such as `2026-03-18T10:15:00+01:00`.",
        specified_by_url=_RFC_3339,
        serialize=datetime.isoformat,
        parse_value=_datetime,
    ),
    time: strawberry.scalar(
        name="Time",
        description="A time of day in the school's time zone, such as `10:15:00`.",
        specified_by_url=_RFC_3339,
        serialize=isoformat,
        parse_value=_time,
    ),
    UUID: strawberry.scalar(
        name="UUID", description="A UUID, such as `01890a5d-ac96-774b-bcce-b302099a8057`.", serialize=str, parse_value=_uuid
    ),
}
