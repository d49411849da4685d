"""Tests how attendance marks count towards days of attendance."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.attendance import day_value, rate

STATUSES = ["PRESENT", "ABSENT", "LATE", "LEFT_EARLY", "PARTIAL"]
MINUTES = st.one_of(st.none(), st.integers(0, 1440))


@pytest.mark.parametrize(("minutes", "worth"), [(360, "1"), (359, "0.5"), (180, "0.5"), (179, "0"), (0, "0"), (1440, "1")])
def test_a_day_is_worth_1_from_a_full_days_minutes_on_half_from_half_of_them_on_else_nothing(minutes, worth):
    for status in ("PRESENT", "LATE", "LEFT_EARLY", "PARTIAL"):
        assert day_value(status, minutes, 360) == Decimal(worth)


def test_half_of_an_odd_number_of_minutes_is_not_rounded_down():
    assert day_value("PARTIAL", 180, 361) == 0
    assert day_value("PARTIAL", 181, 361) == Decimal("0.5")


@given(st.sampled_from(STATUSES), MINUTES, MINUTES, st.integers(1, 1440))
def test_more_minutes_are_never_worth_less(status, one, other, full):
    if one is not None and other is not None and one <= other:
        assert day_value(status, one, full) <= day_value(status, other, full)


@given(st.lists(st.tuples(st.sampled_from(STATUSES), MINUTES), min_size=1), st.integers(1, 1440))
def test_a_rate_is_between_nothing_and_everything_whatever_the_order(marks, full):
    values = [day_value(status, minutes, full) for status, minutes in marks]
    found = rate(sum(values, Decimal(0)), len(values))
    assert 0 <= found <= 100
    assert found == rate(sum(reversed(values), Decimal(0)), len(values))


def test_no_days_have_no_rate():
    assert rate(Decimal(0), 0) is None
