"""What a span of days costs: fields over days read a row for each of them."""

from collections.abc import Callable
from datetime import date
from typing import Any

from execution.costs import ArgumentValues
from resolvers.attendance import MAX_SPAN_DAYS

__all__ = ["days_in", "for_each_day", "groups_in"]

# An attendance of several years, for a span that is open at one end.
_OPEN_SPAN = 2 * MAX_SPAN_DAYS
_SUBJECTS = 20


def days_in(arguments: ArgumentValues) -> int:
    """The days from `fromDate` to `toDate`. What is no day is counted as the longest span, since its field refuses it."""
    ends = [_day(arguments.get(name)) for name in ("fromDate", "toDate")]
    if ends[0] is None or ends[1] is None:
        return _OPEN_SPAN if None in (arguments.get("fromDate"), arguments.get("toDate")) else MAX_SPAN_DAYS
    return min(max((ends[1] - ends[0]).days + 1, 1), _OPEN_SPAN)


def for_each_day(points: float, base: int = 1) -> Callable[[ArgumentValues], int]:
    """A cost of `base`, and of some points for each day of the span."""
    return lambda arguments: base + round(points * days_in(arguments))


def groups_in(arguments: ArgumentValues) -> int:
    """The number of groups that a span is broken down into."""
    days = days_in(arguments)
    by: dict[Any, int] = {"WEEK": days // 7 + 2, "MONTH": days // 28 + 2, "SUBJECT": _SUBJECTS}
    return by.get(arguments.get("by"), days)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
