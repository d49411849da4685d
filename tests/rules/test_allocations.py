"""Tests properties of amounts, allocations and statuses that hold for every ledger."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import Share, Totals, allocate, balance, exponent, fits, format_amount, from_minor, status

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


@st.composite
def amounts(draw, currency, least=0, most=10**7):
    return from_minor(draw(st.integers(least, most)), exponent(currency))


@st.composite
def payments(draw):
    """Generates a currency, an amount, and shares of it."""
    currency = draw(CURRENCIES)
    shares = [
        Share(owed, draw(st.none() | amounts(currency, 0, int(owed.scaleb(exponent(currency))))), date(2026, 1, 1) + timedelta(draw(st.integers(0, 5))))
        for owed in draw(st.lists(amounts(currency), max_size=8))
    ]  # fmt: skip
    return currency, draw(amounts(currency, 1)), shares


@st.composite
def totals(draw):
    """Generates possible totals of a charge's ledger: waivers within the amount, refunds within the payments, payments within the rest."""
    amount = draw(st.integers(1, 1000))
    waived = draw(st.integers(0, amount))
    net = draw(st.integers(0, amount - waived))
    refunded = draw(st.integers(0, 1000))
    cancelled = draw(st.booleans()) and net == 0
    return Totals(Decimal(amount), Decimal(net + refunded), Decimal(refunded), Decimal(waived), cancelled)


@given(payments())
def test_allocations_add_up_to_the_payment_to_the_smallest_unit(payment):
    currency, amount, shares = payment
    parts, left = allocate(amount, shares)
    assert sum(parts, Decimal(0)) + left == amount
    assert len(parts) == len(shares)
    assert all(part == format_amount(part, currency) for part in parts)


@given(payments())
def test_no_share_gets_more_than_is_owed_and_a_given_part_is_what_it_gets(payment):
    _, amount, shares = payment
    parts, left = allocate(amount, shares)
    for part, share in zip(parts, shares, strict=True):
        assert 0 <= part <= share.owed
        assert share.given in (None, part)
    if left > 0:
        assert all(part == share.owed for part, share in zip(parts, shares, strict=True) if share.given is None), "a rest found no place"


@given(payments())
def test_what_falls_due_earlier_is_filled_first(payment):
    _, amount, shares = payment
    parts, _ = allocate(amount, shares)
    open_dues = [share.due for part, share in zip(parts, shares, strict=True) if share.given is None and part < share.owed]
    for part, share in zip(parts, shares, strict=True):
        if share.given is None and part > 0 and open_dues:
            assert share.due <= min(open_dues)


@given(totals())
def test_the_status_is_a_function_of_the_ledger(ledger):
    due, net, found = ledger.amount - ledger.waived, ledger.paid - ledger.refunded, status(ledger)
    assert (found == "CANCELLED") == ledger.is_cancelled
    if ledger.is_cancelled:
        assert balance(ledger) == 0
        return
    assert balance(ledger) == due - net
    assert (found == "WAIVED") == (due == 0)
    assert (found == "PAID") == (due > 0 and net == due)
    assert (found == "PARTIAL") == (0 < net < due)
    assert (found in {"PENDING", "REFUNDED"}) == (due > 0 and net == 0)
    assert (found == "REFUNDED") <= (ledger.refunded > 0)
    assert (found in {"WAIVED", "PAID"}) == (balance(ledger) == 0)


@given(st.integers(1, 10**13), CURRENCIES)
def test_an_amount_from_minor_units_fits_its_currency_and_comes_back(units, currency):
    amount = from_minor(units, exponent(currency))
    assert fits(amount, currency) == (amount < 10**11)
    assert amount.scaleb(exponent(currency)) == units
    assert format_amount(amount, currency) == amount
    assert not fits(amount + from_minor(1, exponent(currency) + 1), currency)


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity", "-Infinity", "1E+11", "1E-400", "1E+400"])
def test_what_is_no_amount_does_not_fit(text):
    assert not fits(Decimal(text), "EUR")


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("BHD", 3)])
def test_the_smallest_unit_is_the_currencys(currency, decimals):
    assert exponent(currency) == decimals
    assert str(format_amount(Decimal(7), currency)) == ("7" if decimals == 0 else f"7.{'0' * decimals}")
