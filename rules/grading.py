"""Grades: from marks to an average, its letter, a grade point average, a rank. Decimal only.

An average is worked out to ten decimals, which is arithmetic; it is rounded once, by the school's policy, before its letter is looked up.
What came of each mark is kept as plain facts (JSON), from which `steps` tells how a value came about, now or years later.
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
# Far more digits than are kept: what is kept is right in each.
_EXACT = Context(prec=60)
_KEPT = Decimal("1e-10")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a student got in one assessment. `score` is None unless `state` is SCORED; `day` is when it was due."""

    kind: str
    state: str
    score: Decimal | None
    maximum: Decimal
    weight: Decimal
    day: date
    title: str


@dataclass(frozen=True, slots=True)
class Bound:
    """From `lower` on, the letter and what it is worth."""

    lower: Decimal
    letter: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Policy:
    """By what averages are made. `bounds` fall; `weights` and `names` are by the code of a type of assessment."""

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
    """`percentage` is unrounded; None when no mark counts. `facts` are what `steps` reads."""

    percentage: Decimal | None
    is_incomplete: bool
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grade:
    """An average by the policy: all None when there is none; letter and points also without a scale."""

    percentage: Decimal | None
    rounded: Decimal | None
    letter: str | None
    points: Decimal | None


def read_policy(content: Mapping[str, Any], version: str) -> Policy:
    """The policy as the database tells it (grading_policy() in the migrations): numbers are texts."""
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
    """A score in per cent of the maximum; above 100 with extra credit."""
    return _kept(_share(score, maximum))


def round_by(value: Decimal, mode: str, decimals: int) -> Decimal:
    """A value that is not negative, rounded once by an explicit policy. Source: rosariosis#177."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUNDING[mode], _EXACT)


def average(marks: Iterable[Mark], policy: Policy, today: date) -> Average:
    """The weighted average of a student's marks in a subject, in per cent.

    Within a type assessments weigh by their own weight, types by theirs. A type without marks that count is skipped and the weights of the
    others are renormalised (source: Gibbon). SCORED counts its percentage; MISSING zero or nothing, as the policy says (ZERO_AFTER_DUE: zero once
    its day is over); EXCUSED leaves numerator and denominator; INCOMPLETE leaves them as well, and makes the result incomplete (rosariosis#153).
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
    """The average rounded once, and the letter of the highest bound that is not above it. 79.5 always has one: a scale has no gaps."""
    if value is None:
        return Grade(None, None, None, None)
    rounded = round_by(value, policy.mode, policy.decimals)
    bound = next((each for each in policy.bounds if each.lower <= rounded), None)
    return Grade(value, rounded, bound.letter if bound else None, bound.points if bound else None)


def gpa(results: Iterable[tuple[Decimal | None, Decimal]]) -> Decimal | None:
    """The grade point average of (points, credits) of subjects: the sum of points times credits over the sum of credits.

    Subjects without credit or without a grade are left out; None when none is left.
    """
    counted = [(points, credits_) for points, credits_ in results if points is not None and credits_ > 0]
    with localcontext(_EXACT):
        whole = sum((credits_ for _, credits_ in counted), Decimal(0))
        result = sum((points * credits_ for points, credits_ in counted), Decimal(0)) / whole if whole else None
    return None if result is None else _kept(result)


def ranks(values: Mapping[K, Decimal]) -> dict[K, int]:
    """Each one's place, the highest value first: equal values share a place, and the places after it are left out (1, 2, 2, 4)."""
    first: dict[Decimal, int] = {}
    for place, value in enumerate(sorted(values.values(), reverse=True), start=1):
        first.setdefault(value, place)
    return {key: first[value] for key, value in values.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation: what, how much, and why."""

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
    """How a result came about: its types of assessment with their weights, what was left out, the average, the rounding, the letter."""
    types: Mapping[str, Sequence[Any]] = facts["types"]
    whole = sum((policy.weights.get(kind, Decimal(0)) for kind in types), Decimal(0))
    told = []
    for kind, (value, count) in sorted(types.items()):
        marks = "1 mark" if count == 1 else f"{count} marks"
        weighs = f"weighs {_text(policy.weights.get(kind, Decimal(0)))} of {_text(whole)}"
        told.append(Step(policy.names.get(kind, kind), value, f"{marks}, {weighs}"))
    for why, title, day in facts["noted"]:
        label, means = _NOTES[why]
        told.append(Step(label, None, f"{title} ({day}) {means}"))
    if result.percentage is None or result.rounded is None:
        return [*told, Step("Average", None, "No mark counts")]
    told.append(Step("Average", _text(result.percentage), "The types' averages by their weights; types without marks are left out"))
    told.append(Step("Rounded", _text(result.rounded), f"{policy.mode}, to {policy.decimals} decimals, once"))
    if result.letter is not None:
        bound = next((each for each in policy.bounds if each.lower <= result.rounded), None)
        why = f"The highest bound at or below it in {policy.scale!r}" + (f" is {_text(bound.lower)}" if bound else "")
        told.append(Step("Letter", result.letter, why))
        told.append(Step("Points", None if result.points is None else _text(result.points), f"What {result.letter} is worth"))
    return told


def _counts(mark: Mark, missing: str, today: date) -> Decimal | None:
    """What a mark counts in per cent, unrounded; None when it does not count."""
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
    """Without zeros at the end and without an exponent."""
    return f"{value.normalize(_EXACT) + 0:f}"
