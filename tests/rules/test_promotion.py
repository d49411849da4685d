"""Tests how a promotion's plan is computed."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.promotion import Member, Override, Target, make_plan


def uid(n):
    return UUID(int=n)


members = st.lists(st.tuples(st.integers(1, 4), st.sampled_from("AB")), max_size=12).map(
    lambda places: [Member(uid(n), uid(100 + n), 1, uid(200 + level), level, section) for n, (level, section) in enumerate(places)]
)
targets = st.dictionaries(
    st.tuples(st.integers(1, 5), st.sampled_from("AB")), st.tuples(st.none() | st.integers(0, 4), st.integers(0, 2)), max_size=10
).map(lambda by: [Target(uid(300 + n), *place, *room) for n, (place, room) in enumerate(by.items())])
overrides = st.dictionaries(
    st.integers(0, 14).map(uid), st.sampled_from(["PROMOTE", "REPEAT", "GRADUATE", "LEAVE"]).map(Override), max_size=5
)


@given(members, targets, overrides)
def test_everybody_has_one_row_and_no_class_overflows(members, targets, overrides):
    plan = make_plan(members, targets, overrides)
    assert [row.student_id for row in plan.rows] == [each.student_id for each in members]
    going = [row for row in plan.rows if row.to_class_id and not row.error]
    for target in targets:
        entering = sum(row.to_class_id == target.class_id for row in going)
        assert target.capacity is None or entering == 0 or entering + target.enrolled <= target.capacity
    assert set(plan.unknown) == set(overrides) - {each.student_id for each in members}
    for row in plan.rows:
        assert (row.to_class_id is None) == (row.action in ("GRADUATE", "LEAVE") or row.error in ("NO_CLASS", "WRONG_CLASS"))


@given(members, targets, overrides, st.randoms())
def test_the_order_of_classes_does_not_matter(members, targets, overrides, random):
    shuffled = random.sample(targets, len(targets))
    assert make_plan(members, shuffled, overrides) == make_plan(members, targets, overrides)


@given(members.filter(bool), targets)
def test_any_change_makes_another_hash(members, targets):
    plan = make_plan(members, targets, {})
    first = members[0]
    changed = [Member(first.student_id, first.membership_id, 2, first.class_id, first.grade_level, first.section), *members[1:]]
    assert make_plan(changed, targets, {}).hash != plan.hash
    assert make_plan(members[1:], targets, {}).hash != plan.hash
    assert make_plan(members, targets, {first.student_id: Override("LEAVE")}).hash != plan.hash
