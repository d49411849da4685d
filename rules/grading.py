"""Computes averages, letter grades, grade point averages and ranks from marks, with decimal arithmetic only.

An average is computed to ten decimals and rounded once, by the school's policy, before its letter is looked up. How each mark counted is stored
as plain JSON facts, from which `steps` explains the result, even years later.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal, localcontext
from typing import Any, TypeVar

__all__ = [
    "Average",
    "Bound",
    "Grade",
    "Mark",
    "Policy",
    "Step",
    "average",
    "gpa",
    "grade",
    "percentage",
    "ranks",
    "read_policy",
    "round_by",
    "steps",
]

K = TypeVar("K", bound=Hashable)

ROUNDING = {"HALF_UP": ROUND_HALF_UP, "HALF_EVEN": ROUND_HALF_EVEN, "HALF_DOWN": ROUND_HALF_DOWN, "UP": ROUND_UP, "DOWN": ROUND_DOWN}
# Far more digits than are kept, so that all kept digits are correct.
_EXACT = Context(prec=60)
_KEPT = Decimal("1e-10")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Mark:
    """A student's mark in an assessment. `score` is None unless `state` is SCORED; `day` is the due date."""

    kind: str
    state: str
    score: Decimal | None
    maximum: Decimal
    weight: Decimal
    day: date
    title: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound of a grading scale: averages of at least `lower` get this letter and these grade points."""

    lower: Decimal
    letter: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Policy:
    """A school's grading policy. `bounds` are in descending order; `weights` and `names` are by code of the assessment type."""

    version: str
    mode: str
    decimals: int
    missing: str
    scale: str | None
    bounds: tuple[Bound, ...]
    weights: Mapping[str, Decimal]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Average:
    """An average in per cent. `percentage` is not rounded yet, and None if no mark counts. `facts` is the input of `steps`."""

    percentage: Decimal | None
    is_incomplete: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade according to a policy. All fields are None if there is no average; letter and points are None without a scale."""

    percentage: Decimal | None
    rounded: Decimal | None
    letter: str | None
    points: Decimal | None


def read_policy(content: Mapping[str, Any], version: str) -> Policy:
    """Parses a policy as returned by the SQL function grading_policy(), in which numbers are strings."""
    scale = content["scale"]
    bounds = [Bound(Decimal(lower), letter, Decimal(points)) for lower, letter, points in scale["bounds"]] if scale else []
    types = content["types"]
    return Policy(
        version,
        content["rounding"][0],
        int(content["rounding"][1]),
        content["missing"],
        scale["name"] if scale else None,
        tuple(sorted(bounds, key=lambda each: each.lower, reverse=True)),
        {code: Decimal(weight) for code, (_, weight) in types.items()},
        {code: name for code, (name, _) in types.items()},
    )


def percentage(score: Decimal, maximum: Decimal) -> Decimal:
    """Returns a score as a percentage of the maximum; more than 100 with extra credit."""
    return _kept(_share(score, maximum))


def round_by(value: Decimal, mode: str, decimals: int) -> Decimal:
    """Rounds a value that is not negative, with an explicit rounding mode. Source: rosariosis#177."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUNDING[mode], _EXACT)


def average(marks: Iterable[Mark], policy: Policy, today: date) -> Average:
    """Returns the weighted average of a student's marks in a subject, in per cent.

    Assessments are weighted within their type, and types among each other. A type without counting marks is skipped, and the weights of the others
    are renormalised (source: Gibbon). SCORED counts with its percentage. MISSING counts as zero or not at all, as the policy says
    (ZERO_AFTER_DUE: as zero after the due date). EXCUSED does not count. INCOMPLETE does not count and makes the result incomplete
    (rosariosis#153).
    """
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0), Decimal(0)])
    noted: list[list[str]] = []
    with localcontext(_EXACT):
        for mark in marks:
            share = _counts(mark, policy.missing, today)
            if mark.state != "SCORED":
                noted.append([_why(mark.state, share), mark.title, mark.day.isoformat()])
            if share is not None and mark.weight > 0:
                of_type = sums[mark.kind]
                of_type[0] += share * mark.weight
                of_type[1] += mark.weight
                of_type[2] += 1
        averages = {kind: total / weight for kind, (total, weight, _) in sums.items()}
        weights = {kind: policy.weights.get(kind, Decimal(0)) for kind in averages}
        whole = sum(weights.values(), Decimal(0))
        result = sum((averages[kind] * weights[kind] for kind in sorted(averages)), Decimal(0)) / whole if whole else None
    facts = {
        "types": {kind: [_text(_kept(averages[kind])), int(sums[kind][2])] for kind in sorted(averages)},
        "noted": sorted(noted, key=lambda each: (each[2], each[1], each[0])),
    }
    return Average(None if result is None else _kept(result), any(each[0] == "INCOMPLETE" for each in noted), facts)


def grade(value: Decimal | None, policy: Policy) -> Grade:
    """Rounds an average and looks up its letter: that of the highest bound not above the rounded value. A scale has no gaps."""
    if value is None:
        return Grade(None, None, None, None)
    rounded = round_by(value, policy.mode, policy.decimals)
    bound = next((each for each in policy.bounds if each.lower <= rounded), None)
    return Grade(value, rounded, bound.letter if bound else None, bound.points if bound else None)


def gpa(results: Iterable[tuple[Decimal | None, Decimal]]) -> Decimal | None:
    """Returns the grade point average of subjects given as (points, credits): the average of the points, weighted by credits.

    Subjects without credits or without a grade are excluded. Returns None if no subject remains.
    """
    counted = [(points, credits_) for points, credits_ in results if points is not None and credits_ > 0]
    with localcontext(_EXACT):
        whole = sum((credits_ for _, credits_ in counted), Decimal(0))
        result = sum((points * credits_ for points, credits_ in counted), Decimal(0)) / whole if whole else None
    return None if result is None else _kept(result)


def ranks(values: Mapping[K, Decimal]) -> dict[K, int]:
    """Ranks values in descending order. Equal values share a rank, and the following ranks are skipped (1, 2, 2, 4)."""
    first: dict[Decimal, int] = {}
    for place, value in enumerate(sorted(values.values(), reverse=True), start=1):
        first.setdefault(value, place)
    return {key: first[value] for key, value in values.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """A step in the explanation of a result: a label, a value, and the reason."""

    label: str
    value: str | None
    detail: str | None


_NOTES = {
    "EXCUSED": ("Excused", "does not count, neither for nor against"),
    "INCOMPLETE": ("Incomplete", "does not count until it is finished"),
    "MISSING_ZERO": ("Missing", "counts as zero"),
    "MISSING_LEFT_OUT": ("Missing", "does not count"),
}


def steps(facts: Mapping[str, Any], result: Grade, policy: Policy) -> list[Step]:
    """Explains a result step by step: the assessment types with their weights, excluded marks, the average, the rounding, the letter."""
    types: Mapping[str, Sequence[Any]] = facts["types"]
    whole = sum((policy.weights.get(kind, Decimal(0)) for kind in types), Decimal(0))
    explanation = []
    for kind, (value, count) in sorted(types.items()):
        marks = "1 mark" if count == 1 else f"{count} marks"
        weighs = f"weighs {_text(policy.weights.get(kind, Decimal(0)))} of {_text(whole)}"
        explanation.append(Step(policy.names.get(kind, kind), value, f"{marks}, {weighs}"))
    for why, title, day in facts["noted"]:
        label, means = _NOTES[why]
        explanation.append(Step(label, None, f"{title} ({day}) {means}"))
    if result.percentage is None or result.rounded is None:
        return [*explanation, Step("Average", None, "No mark counts")]
    explanation.append(Step("Average", _text(result.percentage), "The types' averages by their weights; types without marks are left out"))
    explanation.append(Step("Rounded", _text(result.rounded), f"{policy.mode}, to {policy.decimals} decimals, once"))
    if result.letter is not None:
        bound = next((each for each in policy.bounds if each.lower <= result.rounded), None)
        why = f"The highest bound at or below it in {policy.scale!r}" + (f" is {_text(bound.lower)}" if bound else "")
        explanation.append(Step("Letter", result.letter, why))
        explanation.append(Step("Points", None if result.points is None else _text(result.points), f"What {result.letter} is worth"))
    return explanation


def _counts(mark: Mark, missing: str, today: date) -> Decimal | None:
    """Returns the percentage with which a mark counts, unrounded, or None if it does not count."""
    if mark.state == "SCORED" and mark.score is not None:
        return _share(mark.score, mark.maximum)
    if mark.state == "MISSING" and (missing == "ZERO" or (missing == "ZERO_AFTER_DUE" and mark.day < today)):
        return Decimal(0)
    return None


def _why(state: str, share: Decimal | None) -> str:
    if state == "MISSING":
        return "MISSING_LEFT_OUT" if share is None else "MISSING_ZERO"
    return state


def _share(score: Decimal, maximum: Decimal) -> Decimal:
    return _EXACT.divide(_EXACT.multiply(score, _HUNDRED), maximum)


def _kept(value: Decimal) -> Decimal:
    return value.quantize(_KEPT, ROUND_HALF_UP, _EXACT)


def _text(value: Decimal) -> str:
    """Formats a number without trailing zeros and without an exponent."""
    return f"{value.normalize(_EXACT) + 0:f}"
