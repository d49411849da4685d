"""Computes the value of a day of attendance, and attendance rates."""

from decimal import ROUND_HALF_UP, Decimal

__all__ = ["day_value", "rate"]

_WHOLE, _HALF, _NOTHING = Decimal(1), Decimal("0.5"), Decimal(0)


def day_value(status: str, minutes_present: int | None, full_day_minutes: int) -> Decimal:
    """Returns the value of a day: 1 for at least a full day's minutes of presence, 0.5 for at least half of them, otherwise 0.

    If the minutes are unknown, PRESENT and LATE count as 1, other statuses except ABSENT as 0.5. ABSENT is always 0. The SQL statement
    `attendance_totals` implements the same rule. Source: RosarioSIS, day values.
    """
    if status == "ABSENT":
        return _NOTHING
    if minutes_present is None:
        return _WHOLE if status in {"PRESENT", "LATE"} else _HALF
    if minutes_present >= full_day_minutes:
        return _WHOLE
    return _HALF if minutes_present * 2 >= full_day_minutes else _NOTHING


def rate(day_values: Decimal, days: int) -> Decimal | None:
    """Returns the attendance rate in per cent, rounded half up to one decimal: the sum of the days' values divided by the number of days.

    Returns None if there were no days. Source: RosarioSIS, day values.
    """
    if days == 0:
        return None
    return (100 * day_values / days).quantize(Decimal("0.1"), ROUND_HALF_UP)
