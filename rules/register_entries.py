"""Validates the entries of an attendance register, and computes how late a student was."""

from collections.abc import Mapping
from datetime import time
from typing import Any

__all__ = ["minutes_late", "register_entry_problems"]

_DAY_MINUTES = 1440
_LONGEST_REASON = 300


def minutes_late(arrival: time, begin: time) -> int:
    """Returns the whole minutes between the beginning of the school day and the arrival, both in the school's time zone; 0 if not late.

    Source: Ed-Fi, ArrivalTime: lateness is a number of minutes, not only a flag.
    """
    return max(0, (arrival.hour - begin.hour) * 60 + arrival.minute - begin.minute)


def register_entry_problems(mark: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns all problems of a register entry as (field, message).

    `mark` has `status`, and may have `excused`, `excuse_reason`, `arrival_time`, `minutes_late`, `minutes_present`. The database enforces the same
    rules (attendance_*_check), but reports only the first violation. Source: status and excuse are independent facts (Clever).
    """
    found: list[tuple[str, str]] = []
    status, excused, reason = mark["status"], mark.get("excused"), mark.get("excuse_reason")
    late, present = mark.get("minutes_late"), mark.get("minutes_present")
    if excused and status == "PRESENT":
        found.append(("excused", "A student who was present cannot be excused."))
    if reason is not None and (not excused or not 1 <= len(reason) <= _LONGEST_REASON):
        found.append(("excuseReason", f"Must have 1 to {_LONGEST_REASON} characters, and requires `excused`."))
    if late is not None and not (status == "LATE" and 0 <= late <= _DAY_MINUTES):
        found.append(("minutesLate", f"Must be between 0 and {_DAY_MINUTES}, and requires the status LATE."))
    if mark.get("arrival_time") is not None and status not in ("LATE", "PARTIAL"):
        found.append(("arrivalTime", "Requires the status LATE or PARTIAL."))
    if present is not None and not 0 <= present <= _DAY_MINUTES:
        found.append(("minutesPresent", f"Must be between 0 and {_DAY_MINUTES}."))
    return found
