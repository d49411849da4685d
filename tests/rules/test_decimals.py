"""Numbers are compared and measured by what they are, not by how they are written."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from rules.decimals import canonical, decimals

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
