"""Validates the entries of a mark book."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rules.decimals import decimals

__all__ = ["entry_problems", "entry_state", "is_too_fine"]

_DECIMALS = 3
_LONGEST_COMMENT = 1000


def entry_state(entry: Mapping[str, Any]) -> str:
    """Returns the state of an entry; SCORED if none is given."""
    return str(entry.get("state") or "SCORED")


def is_too_fine(value: Decimal | None) -> bool:
    """Returns whether a score has more decimals than are stored. It would have to be rounded, and raw scores are never rounded."""
    return value is not None and value.is_finite() and decimals(value) > _DECIMALS


def entry_problems(entry: Mapping[str, Any], maximum: Decimal, extra_credit: Decimal) -> list[tuple[str, str, str]]:
    """Returns all problems of an entry as (field, code, message).

    Entries in state SCORED must have a score, and no others may: missing or excused is not zero (rosariosis#153). A score must not exceed the
    maximum plus the extra credit of the assessment.
    """
    found: list[tuple[str, str, str]] = []
    score, comment = entry.get("score"), entry.get("comment")
    if entry_state(entry) == "SCORED":
        if score is None:
            found.append(("score", "REQUIRED", "Enter a score, or set the state to MISSING, EXCUSED or INCOMPLETE."))
    elif score is not None:
        found.append(("score", "INVALID", f"Must be left out for the state {entry_state(entry)}: only SCORED has a score."))
    if score is not None:
        if not score.is_finite() or score < 0:
            found.append(("score", "INVALID", "Must be zero or more."))
        elif score > maximum + extra_credit:
            most = f"{(maximum + extra_credit).normalize():f}"
            found.append(("score", "SCORE_TOO_HIGH", f"Must be at most {most}{', extra credit included' if extra_credit else ''}."))
        elif is_too_fine(score):
            found.append(("score", "INVALID", f"Must have at most {_DECIMALS} decimals."))
    if comment is not None and len(comment) > _LONGEST_COMMENT:
        found.append(("comment", "INVALID", f"Must have at most {_LONGEST_COMMENT} characters."))
    return found
