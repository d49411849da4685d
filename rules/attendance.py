"""Attendance: what days are worth."""

from decimal import ROUND_HALF_UP, Decimal

__all__ = ["day_value", "rate"]

_WHOLE, _HALF, _NOTHING = Decimal(1), Decimal("0.5"), Decimal(0)


def day_value(status: str, minutes_present: int | None, full_day_minutes: int) -> Decimal:
    """What a day with this mark is worth: 1 from a full day's minutes of presence on, 0.5 from half of them on, else 0. Who was absent: 0.

    Where the minutes are not known, a day present or come late to is whole, one left early or partly attended is half. The statement
    `attendance_totals` reckons the same. Source: RosarioSIS, day values.
    """
    if status == "ABSENT":
        return _NOTHING
    if minutes_present is None:
        return _WHOLE if status in {"PRESENT", "LATE"} else _HALF
    if minutes_present >= full_day_minutes:
        return _WHOLE
    return _HALF if minutes_present * 2 >= full_day_minutes else _NOTHING


def rate(day_values: Decimal, days: int) -> Decimal | None:
    """The attendance rate in per cent, to one decimal, halves up: the sum of the days' values (1, 0.5 or 0 each) over the days.

    None when there were no days. Source: day values as in RosarioSIS.
    """
    if days == 0:
        return None
    return (100 * day_values / days).quantize(Decimal("0.1"), ROUND_HALF_UP)
