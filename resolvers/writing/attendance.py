"""Attendance mutations: taking the register of a class for a day, and corrections by the office."""

from collections import Counter
from datetime import date, time
from typing import Any
from uuid import UUID

from auth.capabilities import Capability
from db.row_writes import to_json
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.user_errors import UserError
from rules.register_entries import minutes_late, register_entry_problems

__all__ = ["correct_attendance", "submit_register"]


async def submit_register(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Takes a class's register for a day, for the whole day or one subject: all entries in one statement.

    Students without an entry stay unmarked: silence is not presence. A teacher's entry does not overwrite one by the office; it is kept beside it.
    Submitting again updates what differs, and the audit log keeps the old values. Raises FORBIDDEN for a user who may not take this register.
    The students are locked first, so none changes class and the office corrects nothing between reading and writing.
    """
    await _lock_students(tx, [entry["student_id"] for entry in given["entries"]])
    facts = await _register_facts(tx, given["class_id"], given["date"], given.get("subject_id"))
    is_office = tx.has_capability(Capability.MANAGE_SCHOOL)
    if not (is_office or facts["is_homeroom"] or facts["is_teacher"]):
        raise Refusal("FORBIDDEN", "Only teachers of the class may take this register.")
    entries = given["entries"]
    errors = [*_day_errors(facts, given["date"]), *_subject_errors(facts, given.get("subject_id"))]
    roster = set(facts["roster"])
    times = Counter(entry["student_id"] for entry in entries)
    for n, entry in enumerate(entries):
        if entry["student_id"] not in roster:
            errors.append(UserError(f"entries.{n}.studentId", "NOT_IN_CLASS", f"The student was not in this class on {given['date']}."))
        elif times[entry["student_id"]] > 1:
            errors.append(UserError(f"entries.{n}.studentId", "TWICE", "The student is listed more than once."))
        errors += _mark_errors(entry, f"entries.{n}.")
    errors += await _client_id_errors(tx, given)
    if errors:
        raise Rejected(*errors)
    place = {"class_id": given["class_id"], "subject_id": given.get("subject_id"), "date": given["date"]}
    register = await tx.value(queries.take_register, **place, user_id=tx.user_id)
    changes = await _write_marks(tx, entries, facts, place, "OFFICE" if is_office else "TEACHER")
    marked = {change["student_id"] for change in changes}
    return {"register": register, "changes": changes, "not_marked": [each for each in facts["roster"] if each not in marked]}


async def correct_attendance(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Sets one student's attendance on a day by the office, whether the register was taken or not. Later submissions by teachers do not change it."""
    day = given["date"]
    await _lock_students(tx, [given["student_id"]])
    place: dict[str, Any] = {"subject_id": given.pop("subject_id", None), "date": day}
    place["class_id"] = await tx.value(queries.class_on_day, student_id=given["student_id"], date=day)
    if place["class_id"] is None:
        raise rejected("studentId", "NOT_IN_CLASS", f"The student was not in any class on {day}.")
    facts = await _register_facts(tx, place["class_id"], day, place["subject_id"])
    errors = [*_day_errors(facts, day), *_subject_errors(facts, place["subject_id"]), *_mark_errors(given, "")]
    errors += await _client_id_errors(tx, {"entries": [given], **place}, "")
    if errors:
        raise Rejected(*errors)
    entry = {name: value for name, value in given.items() if name != "date"}
    [change] = await _write_marks(tx, [entry], facts, place, "OFFICE")
    return {"attendance": change["attendance_id"], "change": change["change"], "previous_status": change["previous_status"]}


async def _lock_students(tx: MutationTransaction, students: list[UUID]) -> None:
    await tx.rows(queries.hold_students, ids=students)


async def _register_facts(tx: MutationTransaction, class_id: UUID, day: date, subject_id: UUID | None) -> Any:
    facts = await tx.row(queries.register_facts, class_id=class_id, date=day, subject_id=subject_id, user_id=tx.user_id)
    if facts is None:
        raise rejected("classId", "NOT_FOUND", "There is no such class.")
    return facts


async def _write_marks(
    tx: MutationTransaction, entries: list[Values], facts: Any, place: dict[str, Any], source: str
) -> list[dict[str, Any]]:
    # Only the beginning of the whole day is known, not that of a lesson.
    begins = facts["day_begins"] if place["subject_id"] is None else None
    rows = [_row(entry, begins) for entry in entries]
    changes = await tx.rows(queries.mark_attendance, entries=to_json(rows), **place, user_id=tx.user_id, source=source)
    order = {entry["student_id"]: n for n, entry in enumerate(entries)}
    return sorted((dict(each) for each in changes), key=lambda each: order[each["student_id"]])


def _row(entry: Values, begins: time | None) -> Values:
    row = {name: value for name, value in entry.items() if name != "client_id"}
    row["id"] = entry.get("client_id")
    arrival = row.get("arrival_time")
    if row["status"] == "LATE" and arrival is not None and row.get("minutes_late") is None and begins is not None:
        row["minutes_late"] = minutes_late(arrival, begins)
    return row


def _day_errors(facts: Any, day: date) -> list[UserError]:
    """Returns why no attendance can be taken on a day: outside the academic year, a holiday, in the future."""
    errors = []
    if not facts["start_date"] <= day <= facts["end_date"]:
        errors.append(
            UserError(
                "date", "OUTSIDE_YEAR", f"The date must be within the class's academic year, {facts['start_date']} to {facts['end_date']}."
            )
        )
    if day > facts["today"]:
        errors.append(UserError("date", "IN_FUTURE", f"The date is in the future: today is {facts['today']} at the school."))
    if facts["holiday"] is not None:
        errors.append(UserError("date", "HOLIDAY", f"The date is a holiday: {facts['holiday']}."))
    elif not facts["is_school_day"]:
        errors.append(UserError("date", "NO_SCHOOL_DAY", "The date is on a day of the week without school."))
    return errors


def _subject_errors(facts: Any, subject_id: UUID | None) -> list[UserError]:
    if subject_id is None or facts["is_taught"]:
        return []
    return [UserError("subjectId", "NOT_TAUGHT", "The class is not taught this subject on that date.")]


def _mark_errors(entry: Values, path: str) -> list[UserError]:
    return [UserError(f"{path}{field}", "INVALID", message) for field, message in register_entry_problems(entry)]


async def _client_id_errors(tx: MutationTransaction, given: Values, path: str | None = None) -> list[UserError]:
    """Returns errors for ids that clients made and that other marks already have."""
    own = {entry["client_id"]: n for n, entry in enumerate(given["entries"]) if entry.get("client_id") is not None}
    if not own:
        return []
    errors = []
    for row in await tx.rows(queries.marks_with_ids, ids=list(own)):
        n = own[row["id"]]
        expected = (given["entries"][n]["student_id"], given["date"], given.get("subject_id"))
        if (row["student_id"], row["date"], row["subject_id"]) != expected:
            errors.append(
                UserError(
                    f"entries.{n}.clientId" if path is None else "clientId",
                    "TAKEN",
                    "Another record already has this id. Generate a new one.",
                )
            )
    if len(own) < sum(entry.get("client_id") is not None for entry in given["entries"]):
        errors.append(UserError("entries", "TWICE", "Each entry must have a `clientId` of its own."))
    return errors
