"""Tests the arithmetic of money: parts add up exactly, every charge has one of six statuses, statements have running balances."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.account_statements import balance_effect, running_balances
from rules.charges import Candidate, Terms, make_plan
from rules.money import Share, Totals, allocate, balance, exponent, fits, format_amount, from_minor, status
from tests.rules.test_promotion import uid

CURRENCIES = ["EUR", "USD", "JPY", "KRW", "KWD", "TND", "ISK", "CHF"]
money = st.integers(0, 10**6).map(lambda units: from_minor(units, 2))
shares = st.builds(Share, money, st.none() | money, st.integers(0, 30).map(lambda n: date(2026, 1, 1) + timedelta(n)))


@given(money, st.lists(shares, max_size=8))
def test_parts_and_rest_add_up_to_the_amount(amount, given_shares):
    parts, left = allocate(amount, given_shares)
    assert sum(parts, Decimal(0)) + left == amount
    for part, share in zip(parts, given_shares, strict=True):
        assert part == share.given if share.given is not None else 0 <= part <= share.owed
        assert part == part.quantize(Decimal("0.01"))


@given(money, st.lists(shares, max_size=8))
def test_what_falls_due_later_gets_nothing_before_the_earlier_is_paid(amount, given_shares):
    parts, left = allocate(amount, given_shares)
    open_shares = sorted((share.due, n) for n, share in enumerate(given_shares) if share.given is None)
    unfilled = [place for place, (_, n) in enumerate(open_shares) if parts[n] < given_shares[n].owed]
    if unfilled:
        assert all(parts[n] == 0 for _, n in open_shares[unfilled[0] + 1 :])
        assert left <= 0


LEDGERS = st.lists(st.tuples(st.sampled_from(["PAYMENT", "REFUND", "WAIVER"]), st.integers(1, 60)), max_size=8)


@given(st.integers(1, 100), LEDGERS, st.booleans())
def test_a_status_is_the_function_of_the_ledger_and_agrees_with_the_balance(amount, moves, is_cancelled):
    paid = refunded = waived = 0
    for kind, units in moves:
        if kind == "PAYMENT" and paid - refunded + units <= amount - waived:
            paid += units
        if kind == "REFUND" and refunded + units <= paid:
            refunded += units
        if kind == "WAIVER" and paid - refunded <= amount - waived - units:
            waived += units
    totals = Totals(*(Decimal(each) for each in (amount, paid, refunded, waived)), is_cancelled)
    stands, owed = status(totals), balance(totals)
    assert (stands == "CANCELLED") == is_cancelled
    assert 0 <= owed <= amount
    if not is_cancelled:
        assert (owed == 0) == (stands in {"PAID", "WAIVED"})
        assert (stands == "WAIVED") == (waived == amount)
        assert (stands == "PENDING") == (paid == refunded == 0 and waived < amount)
        assert (stands == "REFUNDED") == (0 < refunded == paid and waived < amount)


@given(money, st.lists(st.tuples(st.sampled_from(["CHARGE", "PAYMENT", "REFUND", "WAIVER", "CANCELLATION"]), money, st.booleans())))
def test_a_running_balance_ends_where_opening_and_effects_add_up(opening, moves):
    effects = []
    for kind, amount, taken_back in moves:
        effects.append(balance_effect(kind, amount))
        if taken_back:
            effects.append(balance_effect("CORRECTION", amount, kind))
            assert effects[-1] + effects[-2] == 0
    balances = running_balances(opening, effects)
    assert ([opening, *balances])[-1] == opening + sum(effects, Decimal(0))


@given(st.sampled_from(CURRENCIES), st.integers(1, 10**13))
def test_a_count_of_smallest_units_fits_and_half_of_one_does_not(currency, units):
    amount = from_minor(units, exponent(currency))
    if amount < Decimal(10) ** 11:
        assert fits(amount, currency)
        assert format_amount(amount, currency) == amount
    assert not fits(amount + from_minor(5, exponent(currency) + 1), currency)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "sNaN", "Infinity", "1e11", "1e999999", "1e-999999"])
def test_what_is_no_amount_does_not_fit(amount):
    assert not fits(Decimal(amount), "EUR")


@given(
    st.lists(st.tuples(st.integers(1, 50), st.booleans(), st.none() | st.integers(100, 110)), unique_by=lambda each: each[0], max_size=8),
    st.booleans(),
)
def test_a_plan_has_a_row_for_each_and_fails_where_it_repeats_unless_meant(given_candidates, again):
    terms = Terms(uid(1), uid(2), date(2026, 4, 1), Decimal("10.50"), "EUR", "April", again)
    candidates = [Candidate(uid(n), active, None if repeats is None else uid(repeats)) for n, active, repeats in given_candidates]
    plan = make_plan(terms, candidates)
    assert [row.student_id for row in plan.rows] == [each.student_id for each in candidates]
    assert plan.total == Decimal("10.50") * len(candidates)
    assert plan.failing == (0 if again else sum(each.repeats is not None for each in candidates))
    assert make_plan(terms, candidates[::-1]).hash == plan.hash, "the order does not matter"
    if candidates:
        assert make_plan(terms, candidates[1:]).hash != plan.hash
        assert make_plan(Terms(uid(1), uid(2), date(2026, 4, 2), Decimal("10.50"), "EUR", "April", again), candidates).hash != plan.hash
