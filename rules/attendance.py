"""Attendance: what days are worth."""

from decimal import ROUND_HALF_UP, Decimal

__all__ = ["rate"]


def rate(day_values: Decimal, days: int) -> Decimal | None:
    """The attendance rate in per cent, to one decimal, halves up: the sum of the days' values (1, 0.5 or 0 each) over the days.

    None when there were no days. Source: day values as in RosarioSIS.
    """
    if days == 0:
        return None
    return (100 * day_values / days).quantize(Decimal("0.1"), ROUND_HALF_UP)
