"""Tests properties of the grading rules that hold for any marks."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from rules.grading import Mark, average, gpa, grade, percentage, ranks, read_policy, round_by, steps

TODAY = date(2026, 3, 18)
MODES = ["HALF_UP", "HALF_EVEN", "HALF_DOWN", "UP", "DOWN"]
KINDS = ["EXAM", "TEST", "ESSAY"]


def policy(mode="HALF_UP", decimals=0, missing="ZERO_AFTER_DUE", weights=("3", "2", "1"), bounds=(90, 80, 70, 60, 0)):
    content = {
        "scale": {"name": "Letters", "bounds": [[str(each), letter, str(points)] for each, letter, points in zip(bounds, "ABCDF", "43210", strict=False)]},
        "rounding": [mode, decimals],
        "missing": missing,
        "types": {kind: [kind.title(), weight] for kind, weight in zip(KINDS, weights, strict=True)},
    }  # fmt: skip
    return read_policy(content, "v")


def scored(kind, score, maximum=100, weight=1):
    return Mark(kind, "SCORED", Decimal(score), Decimal(maximum), Decimal(weight), date(2026, 3, 1), "A test")


decimals = st.decimals(0, 100, places=3)
maxima = st.decimals("0.5", 1000, places=3)
weights = st.decimals("0.1", 10, places=3)


@st.composite
def marks(draw, states=("SCORED", "MISSING", "EXCUSED", "INCOMPLETE"), kinds=KINDS):
    state = draw(st.sampled_from(states))
    maximum = draw(maxima)
    share = draw(st.integers(0, 100))
    score = (maximum * share / 100).quantize(Decimal("0.001"), ROUND_HALF_UP) if state == "SCORED" else None
    day = draw(st.dates(date(2026, 2, 1), date(2026, 4, 30)))
    return Mark(draw(st.sampled_from(kinds)), state, score, maximum, draw(weights), day, draw(st.text("abc", max_size=3)))


many = st.lists(marks(), max_size=12)
policies = st.builds(policy, st.sampled_from(MODES), st.integers(0, 4), st.sampled_from(["ZERO_AFTER_DUE", "ZERO", "LEFT_OUT"]))


@given(many, st.randoms(use_true_random=False), policies)
def test_the_order_of_marks_does_not_matter(given_marks, random, by):
    shuffled = list(given_marks)
    random.shuffle(shuffled)
    assert average(shuffled, by, TODAY) == average(given_marks, by, TODAY)


@given(many, st.lists(marks(states=["EXCUSED"]), min_size=1, max_size=4), policies)
def test_excused_changes_nothing(given_marks, excused, by):
    before, after = average(given_marks, by, TODAY), average([*given_marks, *excused], by, TODAY)
    assert (before.percentage, before.is_incomplete) == (after.percentage, after.is_incomplete)
    assert len(after.facts["noted"]) == len(before.facts["noted"]) + len(excused)  # but it is listed


@given(st.lists(st.tuples(st.sampled_from(KINDS), weights, st.integers(1, 9)), min_size=1), st.integers(0, 7), policies)
def test_marks_that_are_all_equal_give_that_mark(given_marks, share, by):
    """Checks sevenths, which have no exact decimal."""
    equal = [scored(kind, share * times, 7 * times, weight) for kind, weight, times in given_marks]
    assert average(equal, by, TODAY).percentage == percentage(Decimal(share), Decimal(7))


@given(decimals, decimals, policies)
def test_letters_are_monotone(one, other, by):
    low, high = sorted([one, other])
    assert grade(low, by).points <= grade(high, by).points


@given(policies)
def test_79_and_a_half_has_a_letter_under_every_policy(by):
    got = grade(Decimal("79.5"), by)
    up = by.decimals == 0 and by.mode in ("HALF_UP", "HALF_EVEN", "UP")
    assert (got.letter, got.rounded) == (("B", 80) if up else ("C", 79) if by.decimals == 0 else ("C", Decimal("79.5")))


@given(decimals, policies)
def test_every_percentage_has_a_letter(value, by):
    assert grade(value, by).letter in set("ABCDF")


@given(st.lists(marks(states=["SCORED"]), min_size=1), policies)
def test_renormalised_weights_keep_the_average_between_the_lowest_and_the_highest_mark(given_marks, by):
    shares = [percentage(each.score, each.maximum) for each in given_marks]
    assert min(shares) <= average(given_marks, by, TODAY).percentage <= max(shares)


@given(many, st.lists(marks(states=["SCORED", "MISSING"]), max_size=4), policies)
def test_what_weighs_nothing_changes_nothing(given_marks, weightless, by):
    added = [Mark(each.kind, each.state, each.score, each.maximum, Decimal(0), each.day, each.title) for each in weightless]
    assert average([*given_marks, *added], by, TODAY).percentage == average(given_marks, by, TODAY).percentage


def test_a_type_without_marks_is_skipped_and_the_weights_renormalised():
    by = policy(weights=("3", "2", "5"))
    assert average([scored("EXAM", 90), scored("TEST", 60)], by, TODAY).percentage == (90 * 3 + 60 * 2) / Decimal(5)
    assert average([scored("EXAM", 90)], by, TODAY).percentage == 90
    assert average([], by, TODAY).percentage is None


def test_a_type_that_weighs_nothing_leaves_no_average_of_its_own():
    assert average([scored("ESSAY", 90)], policy(weights=("3", "2", "0")), TODAY).percentage is None
    assert average([scored("ESSAY", 10), scored("EXAM", 90)], policy(weights=("3", "2", "0")), TODAY).percentage == 90


def test_within_a_type_assessments_weigh_by_their_own_weight():
    assert average([scored("EXAM", 100, weight=3), scored("EXAM", 10, 20, 1)], policy(), TODAY).percentage == Decimal("87.5")


def test_missing_counts_as_the_policy_says():
    def missing(day):
        return Mark("EXAM", "MISSING", None, Decimal(100), Decimal(1), day, "Essay")

    late, due_today = missing(date(2026, 3, 17)), missing(TODAY)
    for name, when_late, when_due in (("ZERO_AFTER_DUE", 40, 80), ("ZERO", 40, 40), ("LEFT_OUT", 80, 80)):
        by = policy(missing=name)
        assert average([scored("EXAM", 80), late], by, TODAY).percentage == when_late, name
        assert average([scored("EXAM", 80), due_today], by, TODAY).percentage == when_due, name


def test_incomplete_leaves_the_average_and_marks_the_result():
    unfinished = Mark("EXAM", "INCOMPLETE", None, Decimal(100), Decimal(1), TODAY, "Project")
    got = average([scored("EXAM", 80), unfinished], policy(), TODAY)
    assert (got.percentage, got.is_incomplete) == (80, True)
    assert average([scored("EXAM", 80)], policy(), TODAY).is_incomplete is False


def test_it_is_rounded_once():
    """Checks 79.45, which rounded to one decimal first would be 79.5, and then 80 and a B."""
    assert grade(Decimal("79.45"), policy("HALF_UP", 0)).letter == "C"
    assert grade(Decimal("79.4999999999"), policy("HALF_UP", 0)).rounded == 79
    assert grade(Decimal("79.0000000001"), policy("UP", 0)).letter == "B"


def test_the_letter_is_that_of_the_highest_bound_not_above_the_rounded_value():
    by = policy("HALF_UP", 1, bounds=("90", "79.5", "70", "60", "0"))
    assert [grade(Decimal(each), by).letter for each in ("79.44", "79.45", "79.5", "0", "120")] == ["C", "B", "B", "F", "A"]


def test_extra_credit_goes_above_a_hundred():
    assert average([scored("EXAM", 110)], policy(), TODAY).percentage == 110
    assert grade(Decimal(110), policy()).letter == "A"


@given(st.decimals(0, 999, places=10), st.sampled_from(MODES), st.integers(0, 4))
def test_rounding_stays_within_one_unit(value, mode, places):
    assert abs(round_by(value, mode, places) - value) < Decimal(1).scaleb(-places)


def test_a_grade_point_average_weighs_points_by_credits():
    two, one, none = Decimal(2), Decimal(1), Decimal(0)
    assert gpa([(Decimal(4), two), (Decimal(1), one)]) == 3
    assert gpa([(Decimal(4), two), (Decimal(0), none), (None, one)]) == 4
    assert gpa([(Decimal(4), none)]) is None
    assert gpa([]) is None


@given(st.dictionaries(st.integers(), st.decimals(0, 4, places=2), max_size=12))
def test_a_rank_counts_those_who_are_better_and_ties_share_it(values):
    assert ranks(values) == {key: 1 + sum(other > value for other in values.values()) for key, value in values.items()}


@given(many, policies)
def test_a_value_can_say_how_it_came_about(given_marks, by):
    got = average(given_marks, by, TODAY)
    explanation = steps(got.facts, grade(got.percentage, by), by)
    assert sum(each.label in ("Excused", "Missing", "Incomplete") for each in explanation) == sum(
        each.state != "SCORED" for each in given_marks
    )
    average_of = next(each for each in explanation if each.label == "Average")
    assert (average_of.value is None) == (got.percentage is None)
    if got.percentage is not None:
        assert Decimal(average_of.value) == got.percentage
        assert [each.value for each in explanation if each.label == "Letter"] == [grade(got.percentage, by).letter]


def test_an_explanation_tells_weights_exclusions_rounding_and_scale():
    excused = Mark("TEST", "EXCUSED", None, Decimal(100), Decimal(1), date(2026, 3, 2), "Vocabulary")
    by = policy()
    got = average([scored("EXAM", 79), scored("ESSAY", 81), excused], by, TODAY)
    assert [(each.label, each.value, each.detail) for each in steps(got.facts, grade(got.percentage, by), by)] == [
        ("Essay", "81", "1 mark, weighs 1 of 4"),
        ("Exam", "79", "1 mark, weighs 3 of 4"),
        ("Excused", None, "Vocabulary (2026-03-02) does not count, neither for nor against"),
        ("Average", "79.5", "The types' averages by their weights; types without marks are left out"),
        ("Rounded", "80", "HALF_UP, to 0 decimals, once"),
        ("Letter", "B", "The highest bound at or below it in 'Letters' is 80"),
        ("Points", "3", "What B is worth"),
    ]
