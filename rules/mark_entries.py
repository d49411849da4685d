"""What an entry of a mark book may say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rules.decimals import decimals

__all__ = ["entry_problems", "entry_state", "is_too_fine"]

_DECIMALS = 3
_LONGEST_COMMENT = 1000


def entry_state(entry: Mapping[str, Any]) -> str:
    """What an entry says of itself; SCORED when it only has a score."""
    return str(entry.get("state") or "SCORED")


def is_too_fine(value: Decimal | None) -> bool:
    """Whether a number has more decimals than are kept: it would be rounded silently, and raw scores never are."""
    return value is not None and value.is_finite() and decimals(value) > _DECIMALS


def entry_problems(entry: Mapping[str, Any], maximum: Decimal, extra_credit: Decimal) -> list[tuple[str, str, str]]:
    """What is wrong with one entry: (its field, a code, what is wrong), all at once.

    Only SCORED has a score, and always has one: missing is not zero, and neither is excused (rosariosis#153). A score above the maximum
    is a slip, unless the assessment has extra credit: then it may be that many points above.
    """
    found: list[tuple[str, str, str]] = []
    score, comment = entry.get("score"), entry.get("comment")
    if entry_state(entry) == "SCORED":
        if score is None:
            found.append(("score", "REQUIRED", "A scored grade has a score; else say MISSING, EXCUSED or INCOMPLETE."))
    elif score is not None:
        found.append(("score", "INVALID", f"Belongs to SCORED, not to {entry_state(entry)}."))
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
