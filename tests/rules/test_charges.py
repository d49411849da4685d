"""Tests the plan of a charge run: its errors, and that its hash changes with any part of the plan."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.charges import Candidate, Terms, make_plan

IDS = [UUID(int=n) for n in range(1, 9)]
TERMS = Terms(IDS[0], IDS[1], date(2026, 4, 1), Decimal("180.00"), "EUR", "Trip")
candidates = st.lists(
    st.builds(Candidate, st.sampled_from(IDS), st.booleans(), st.none() | st.sampled_from(IDS)), unique_by=lambda each: each.student_id
)


@given(candidates, st.booleans())
def test_a_plan_has_a_row_for_each_and_adds_up(whom, again):
    plan = make_plan(replace(TERMS, again=again), whom)
    assert [row.student_id for row in plan.rows] == [each.student_id for each in whom]
    assert plan.total == len(whom) * TERMS.amount
    assert plan.failing == (0 if again else sum(each.repeats is not None for each in whom))


@given(candidates)
def test_the_same_charge_twice_stands_in_the_way_unless_it_is_meant(whom):
    for each, row in zip(whom, make_plan(TERMS, whom).rows, strict=True):
        assert (row.error == "ALREADY_CHARGED") == (each.repeats is not None)
        assert ("INACTIVE" in row.warnings) == (not each.is_active)
    for each, row in zip(whom, make_plan(replace(TERMS, again=True), whom).rows, strict=True):
        assert row.error is None
        assert ("ALREADY_CHARGED" in row.warnings) == (each.repeats is not None)


@given(candidates, st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_order_or_the_spelling_of_the_amount(whom, random):
    shuffled = list(whom)
    random.shuffle(shuffled)
    assert make_plan(replace(TERMS, amount=Decimal(180)), shuffled).hash == make_plan(TERMS, whom).hash


@given(candidates, candidates)
def test_other_students_or_other_facts_of_them_are_another_plan(one, two):
    assert (make_plan(TERMS, one).hash == make_plan(TERMS, two).hash) == (set(one) == set(two))


def test_each_other_term_is_another_plan():
    other = [
        {"fee_category_id": IDS[2]}, {"academic_year_id": IDS[2]}, {"due_date": date(2026, 4, 2)}, {"amount": Decimal("180.01")},
        {"currency": "USD"}, {"description": "trip"}, {"description": None}, {"again": True},
    ]  # fmt: skip
    whom = [Candidate(IDS[3], repeats=IDS[4])]
    hashes = [make_plan(TERMS, whom).hash, *(make_plan(replace(TERMS, **each), whom).hash for each in other)]
    assert len(set(hashes)) == len(hashes)
