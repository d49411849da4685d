"""The gradebook: assessments, and the grades of a class in them. For the subject's teachers in that class and semester, and administrators."""

from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

from auth.capabilities import Capability
from db.constraint_check import constraint_violations
from db.row_writes import to_json
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.grades import Assessment
from resolvers.identifiers import write_id
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.user_errors import UserError
from rules.mark_entries import entry_problems, entry_state, is_too_fine

__all__ = [
    "LOCKS",
    "create_assessment",
    "delete_assessment",
    "publish_assessment",
    "record_grades",
    "unpublish_assessment",
    "update_assessment",
]

LOCKS = {
    "POSTED": "The final grades have been posted. An administrator can reopen them.",
    "WINDOW_CLOSED": "The posting window has closed. An administrator can reopen the grades.",
}
_NUMBERS = {"max_score": "maxScore", "weight": "weight", "extra_credit": "extraCredit"}


async def create_assessment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates an assessment in a subject that the class is taught on its date; the date determines the semester."""
    lesson = {"class_id": given["class_id"], "subject_id": given["subject_id"]}
    await tx.rows(queries.hold_lesson, **lesson, day=given["assessment_date"])
    facts = await tx.row(queries.lesson_facts, **lesson, day=given["assessment_date"], user_id=tx.user_id)
    if facts is None:
        raise rejected("classId", "NOT_FOUND", "There is no such class.")
    errors = _number_errors(given)
    if facts["semester_id"] is None:
        errors.append(UserError("assessmentDate", "OUTSIDE_SEMESTER", "The date is in no semester of the class's academic year."))
    elif not (facts["is_teacher"] or tx.has_capability(Capability.MANAGE_SCHOOL)):
        raise Refusal("FORBIDDEN", "Only teachers of the subject in this class may create assessments.")
    elif facts["lesson_id"] is None:
        errors.append(UserError("subjectId", "NOT_TAUGHT", "The class is not taught this subject on that date."))
    errors += _lock_errors(facts)
    values = given | {"semester_id": facts["semester_id"], "created_by": tx.user_id}
    if errors:
        values.pop("client_id", None)
        raise Rejected(*errors, *await tx.broken_rules("assessments", values, "semesterId", "subjectId"))
    return {"assessment": await tx.insert("assessments", values)}


async def update_assessment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Updates an assessment. Class, subject and semester stay the same, and recorded grades must stay valid."""
    row_id, version = given.pop("id"), given.pop("version")
    assessment = await _writable_assessment(tx, row_id)
    errors = [*_number_errors(given), *_lock_errors(assessment)]
    day = given.get("assessment_date")
    if day is not None and day != assessment["assessment_date"]:
        if not assessment["start_date"] <= day <= assessment["end_date"]:
            within = f"{assessment['start_date']} to {assessment['end_date']}"
            errors.append(
                UserError("assessmentDate", "OUTSIDE_SEMESTER", f"The date must stay within the assessment's semester, {within}.")
            )
        absent = await tx.value(queries.graded_not_in_class_on, id=row_id, day=day)
        if absent:
            errors.append(
                UserError(
                    "assessmentDate",
                    "NOT_IN_CLASS",
                    f"Of the students with a grade in this assessment, {absent} were not in the class on that date.",
                )
            )
    if errors:
        broken = await constraint_violations(tx.connection, "assessments", to_json(given), row_id)
        raise Rejected(*errors, *(UserError(each.field, each.code, each.message) for each in broken))
    return {"assessment": await tx.update("assessments", row_id, version, given, payload_field="assessment")}


async def publish_assessment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Shows an assessment and its grades to students and guardians. A published one stays unchanged."""
    return await _set_published(tx, given["id"], published=True)


async def unpublish_assessment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Hides an assessment and its grades from students and guardians again."""
    return await _set_published(tx, given["id"], published=False)


async def delete_assessment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deletes an assessment without grades. Rejected with IN_USE if it has grades."""
    _refuse_locked(await _writable_assessment(tx, given["id"]))
    return {"deleted_id": write_id(Assessment.tag, await tx.delete("assessments", given["id"]))}


async def record_grades(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Records grades of a class in an assessment, in one statement. Students without an entry keep their grades.

    When two teachers record at the same time, the later entries win, and the audit log keeps the earlier ones. An entry with a version
    (0: no grade yet) is rejected if that has changed. Students must have been in the class on the assessment's date.
    Raises FORBIDDEN for other teachers.
    """
    assessment_id, entries = given["assessment_id"], given["entries"]
    await _writable_assessment(tx, assessment_id, "assessmentId")
    await tx.rows(queries.hold_assessment, id=assessment_id)
    assessment = await _writable_assessment(tx, assessment_id, "assessmentId")
    roster_rows = await tx.rows(queries.class_roster_on, class_id=assessment["class_id"], day=assessment["assessment_date"])
    roster = {row["student_id"] for row in roster_rows}
    errors = [*_lock_errors(assessment), *await _entry_errors(tx, entries, assessment, roster)]
    if errors:
        raise Rejected(*errors)
    rows = [_row(entry) for entry in entries]
    changes = await tx.rows(queries.record_grades, entries=to_json(rows), assessment_id=assessment_id, user_id=tx.user_id)
    order = {entry["student_id"]: n for n, entry in enumerate(entries)}
    return {"assessment": assessment_id, "changes": sorted((dict(each) for each in changes), key=lambda each: order[each["student_id"]])}


async def _writable_assessment(tx: MutationTransaction, row_id: UUID, field: str = "id") -> Any:
    """Returns an assessment that the user may change, with the facts its rules depend on."""
    assessment = await tx.visible_row(queries.assessment_to_write, id=row_id, user_id=tx.user_id)
    if assessment is None:
        raise rejected(field, "NOT_FOUND", "There is no such assessment.")
    if not (assessment["is_teacher"] or tx.has_capability(Capability.MANAGE_SCHOOL)):
        raise Refusal("FORBIDDEN", "Only teachers of the subject in this class and semester may change its assessments and grades.")
    return assessment


async def _set_published(tx: MutationTransaction, row_id: UUID, *, published: bool) -> PayloadValues:
    _refuse_locked(await _writable_assessment(tx, row_id))
    await tx.rows(queries.publish_assessment if published else queries.unpublish_assessment, id=row_id)
    return {"assessment": row_id}


def _lock_errors(facts: Any) -> list[UserError]:
    return [UserError(None, facts["lock"], LOCKS[facts["lock"]])] if facts["lock"] else []


def _refuse_locked(facts: Any) -> None:
    if facts["lock"]:
        raise Rejected(*_lock_errors(facts))


def _number_errors(given: Values) -> list[UserError]:
    return [
        UserError(_NUMBERS[name], "INVALID", f"`{_NUMBERS[name]}` must have at most 3 decimals.")
        for name in _NUMBERS
        if is_too_fine(given.get(name))
    ]


async def _entry_errors(tx: MutationTransaction, entries: list[Values], assessment: Any, roster: set[UUID]) -> list[UserError]:
    client_ids = [entry["client_id"] for entry in entries if entry.get("client_id") is not None]
    grades = await tx.rows(queries.grades_of_assessment, id=assessment["id"], ids=client_ids)
    versions = {row["student_id"]: row["version"] for row in grades if row["assessment_id"] == assessment["id"]}
    holders = {row["id"]: (row["assessment_id"], row["student_id"]) for row in grades}
    times = Counter(entry["student_id"] for entry in entries)
    ids = Counter(client_ids)
    errors = []
    for n, entry in enumerate(entries):
        path, student = f"entries.{n}.", entry["student_id"]
        if student not in roster:
            errors.append(
                UserError(f"{path}studentId", "NOT_IN_CLASS", f"The student was not in the class on {assessment['assessment_date']}.")
            )
        elif times[student] > 1:
            errors.append(UserError(f"{path}studentId", "TWICE", "The student is listed more than once."))
        problems = entry_problems(entry, assessment["max_score"], assessment["extra_credit"])
        errors += [UserError(f"{path}{field}", code, message) for field, code, message in problems]
        seen = entry.get("version")
        if seen is not None and seen != versions.get(student, 0):
            errors.append(UserError(f"{path}version", "CONFLICT", "The grade was changed after you read it."))
        client_id = entry.get("client_id")
        if client_id is not None and ids[client_id] > 1:
            errors.append(UserError(f"{path}clientId", "TWICE", "This `clientId` is given more than once."))
        elif holders.get(client_id, (assessment["id"], student)) != (assessment["id"], student):
            errors.append(UserError(f"{path}clientId", "TAKEN", "Another record already has this id. Generate a new one."))
    return errors


def _row(entry: Values) -> dict[str, Any]:
    score: Decimal | None = entry.get("score")
    return {
        "id": entry.get("client_id"),
        "student_id": entry["student_id"],
        "state": entry_state(entry),
        "score": score,
        "comment": entry.get("comment"),
        "keeps_comment": "comment" not in entry,
    }
