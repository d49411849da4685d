"""What a mark in a register may say, and how late somebody was."""

from collections.abc import Mapping
from datetime import time
from typing import Any

__all__ = ["minutes_late", "register_entry_problems"]

_DAY_MINUTES = 1440
_LONGEST_REASON = 300


def minutes_late(arrival: time, begin: time) -> int:
    """Whole minutes between the beginning of the school day and an arrival, both by the school's clock; 0 for who was early.

    Source: Ed-Fi, ArrivalTime: lateness is minutes, not only a flag.
    """
    return max(0, (arrival.hour - begin.hour) * 60 + arrival.minute - begin.minute)


def register_entry_problems(mark: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with one entry of a register: (its field, what is wrong), all at once; empty for one that is right.

    `mark` has `status`, and may have `excused`, `excuse_reason`, `arrival_time`, `minutes_late`, `minutes_present`. The database holds the
    same rules (attendance_*_check); here they are looked at for every entry at once. Source: status and excuse are two facts (Clever).
    """
    found: list[tuple[str, str]] = []
    status, excused, reason = mark["status"], mark.get("excused"), mark.get("excuse_reason")
    late, present = mark.get("minutes_late"), mark.get("minutes_present")
    if excused and status == "PRESENT":
        found.append(("excused", "Who was there needs no excuse."))
    if reason is not None and (not excused or not 1 <= len(reason) <= _LONGEST_REASON):
        found.append(("excuseReason", f"Belongs to an excuse, with 1 to {_LONGEST_REASON} characters."))
    if late is not None and not (status == "LATE" and 0 <= late <= _DAY_MINUTES):
        found.append(("minutesLate", f"Belongs to LATE, between 0 and {_DAY_MINUTES}."))
    if mark.get("arrival_time") is not None and status not in ("LATE", "PARTIAL"):
        found.append(("arrivalTime", "Belongs to LATE or PARTIAL."))
    if present is not None and not 0 <= present <= _DAY_MINUTES:
        found.append(("minutesPresent", f"Must be between 0 and {_DAY_MINUTES}."))
    return found
