"""Tests that decimals are compared and checked by their value, not by their notation."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.decimals import canonical, decimals, read_decimal

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS)
def test_one_text_stands_for_one_number(one, other):
    assert (canonical(one) == canonical(other)) == (one == other)


@given(NUMBERS, st.integers(0, 40))
def test_zeros_at_the_end_change_nothing(number, zeros):
    sign, digits, exponent = number.as_tuple()
    longer = Decimal((sign, (*digits, *[0] * zeros), exponent - zeros))
    assert canonical(longer) == canonical(number)
    assert decimals(longer) == decimals(number)


@given(st.integers(-(10**40), 10**40), st.integers(0, 40))
def test_it_needs_its_decimals_and_no_more(units, places):
    number = Decimal(f"{units}E-{places}")
    needed = decimals(number)
    assert (units * 10**needed) % 10**places == 0
    assert needed == 0 or (units * 10 ** (needed - 1)) % 10**places != 0


def test_numbers_longer_than_a_context_counts():
    long = Decimal("1." + "0" * 30 + "1")
    assert decimals(long) == 31
    assert canonical(long) != canonical(Decimal(1))
    assert {canonical(Decimal(each)) for each in ("10", "10.00", "1E+1", "010.0")} == {"1E1"}
    assert {canonical(Decimal(each)) for each in ("0", "-0.00", "0E+9")} == {"0E0"}


PLAIN = st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,12})?", fullmatch=True)


@given(PLAIN)
def test_plain_digits_are_read_as_they_are(text):
    assert read_decimal(text) == Decimal(text)
    assert decimals(read_decimal(text)) <= 12


@pytest.mark.parametrize(
    "text",
    [
        "", "-", ".", "1.", ".5", "+1", "--1", "1,5", "1 000", " 1", "1 ", "1\n", "1_0", "١.٥", "１", "1e2", "1E2", "1e999999999", "-1e-999999999",
        "NaN", "sNaN", "Infinity", "-inf", "0x10", "1.2.3",
    ],
)  # fmt: skip
def test_every_other_notation_is_refused_before_it_is_read(text):
    with pytest.raises(ValueError, match="plain digits"):
        read_decimal(text)


def test_more_digits_than_any_column_keeps_are_refused():
    assert read_decimal("9" * 100) == 10**100 - 1
    with pytest.raises(ValueError, match="too many digits"):
        read_decimal("9" * 101)


@given(st.text(max_size=30) | st.from_regex(r"[-+]?[0-9_]{0,9}\.?[0-9]{0,9}([eE][-+]?[0-9]{1,9})?", fullmatch=True))
def test_whatever_is_read_is_small_and_finite(text):
    try:
        number = read_decimal(text)
    except ValueError:
        return
    assert number.is_finite()
    assert len(f"{number:f}") <= 101
    assert text.isascii()
