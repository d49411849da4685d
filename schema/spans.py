"""The cost of fields over a span of days, which read a row for each day."""

from collections.abc import Callable
from datetime import date
from typing import Any

from execution.costs import ArgumentValues
from resolvers.attendance import MAX_SPAN_DAYS

__all__ = ["days_in", "for_each_day", "groups_in"]

# Several years of attendance, for a span without a beginning or end.
_OPEN_SPAN = 2 * MAX_SPAN_DAYS
_SUBJECTS = 20


def days_in(arguments: ArgumentValues) -> int:
    """Returns the number of days from `fromDate` to `toDate`. Invalid dates count as the longest span, since the field refuses them."""
    ends = [_day(arguments.get(name)) for name in ("fromDate", "toDate")]
    if ends[0] is None or ends[1] is None:
        return _OPEN_SPAN if None in (arguments.get("fromDate"), arguments.get("toDate")) else MAX_SPAN_DAYS
    return min(max((ends[1] - ends[0]).days + 1, 1), _OPEN_SPAN)


def for_each_day(points: float, base: int = 1) -> Callable[[ArgumentValues], int]:
    """Makes a cost of `base` and some points for each day of the span."""
    return lambda arguments: base + round(points * days_in(arguments))


def groups_in(arguments: ArgumentValues) -> int:
    """Returns the number of groups in a span."""
    days = days_in(arguments)
    by: dict[Any, int] = {"WEEK": days // 7 + 2, "MONTH": days // 28 + 2, "SUBJECT": _SUBJECTS}
    return by.get(arguments.get("by"), days)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
