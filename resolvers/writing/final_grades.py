"""Final grades: posted by the subject's teachers, then frozen; reopened by administrators with a reason."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from auth.capabilities import Capability
from db.row_writes import to_json
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.user_errors import UserError
from resolvers.writing.grades import LOCKS
from rules.grading import Mark, Policy, average, grade, read_policy

__all__ = ["post_final_grades", "reopen_grades"]


async def post_final_grades(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Posts the final grades of everyone in the class on the semester's last day (or today, if that is earlier), in one subject or in all.

    They are computed from published grades, including those from a student's earlier classes. Rejected while grades are locked, before the posting
    window opens, and while grades are unpublished or missing (unless `leave_out_not_recorded`). Raises FORBIDDEN for other teachers.
    """
    lessons = await _lock_lessons(tx, given)
    if not tx.has_capability(Capability.MANAGE_SCHOOL) and not all(each["is_teacher"] for each in lessons):
        raise Refusal("FORBIDDEN", "Only teachers of the subject in this class may post its final grades.")
    as_of = lessons[0]["as_of"]
    students = [row["student_id"] for row in await tx.rows(queries.class_roster_on, class_id=given["class_id"], day=as_of)]
    place = {"semester_id": given["semester_id"], "student_ids": students, "subject_ids": [each["subject_id"] for each in lessons]}
    now = await tx.row(queries.grading_policy)
    policy = read_policy(now["content"], now["version"])
    errors = _lesson_errors(lessons)
    if policy.scale is None:
        errors.append(UserError(None, "NO_SCALE", "The school has no default grading scale. Make one the default first."))
    for each in await tx.rows(queries.assessments_against_posting, class_id=given["class_id"], **place):
        if not each["is_published"]:
            errors.append(UserError("classId", "NOT_PUBLISHED", f"“{each['title']}” has grades but is not published. Publish it first."))
        elif not given.get("leave_out_not_recorded"):
            errors.append(
                UserError(
                    "classId",
                    "NOT_RECORDED",
                    f"“{each['title']}” has no grade for {each['unmarked']} of the students who were in the class.",
                )
            )
    if errors:
        raise Rejected(*errors)
    marks = await tx.rows(queries.marks_to_post, **place)
    await tx.rows(queries.keep_grading_policy)
    posting = {"class_id": given["class_id"], "user_id": tx.user_id, "as_of": as_of, "policy_version": policy.version}
    postings = await tx.rows(queries.post_grades, semester_id=given["semester_id"], subject_ids=place["subject_ids"], **posting)
    rows = _final_grades(lessons, postings, students, marks, policy, now["today"])
    await tx.rows(queries.freeze_final_grades, grades=to_json(rows))
    return {
        "class_": given["class_id"],
        "postings": [{"subject_id": each["subject_id"], "number": each["number"], "students": len(students)} for each in postings],
    }


async def reopen_grades(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Unlocks locked grades until a moment, or until they are posted again. Posted final grades stay as they are."""
    lessons = await _lock_lessons(tx, given)
    errors = []
    if not await tx.value(queries.is_later_than_now, moment=given["until"]):
        errors.append(UserError("until", "IN_PAST", "`until` must be in the future."))
    if not 1 <= len(given["reason"]) <= 500:
        errors.append(UserError("reason", "INVALID", "The reason must have 1 to 500 characters and must not be blank."))
    locked = [each for each in lessons if each["lock"]]
    if not locked:
        errors.append(UserError("classId", "NOT_LOCKED", "None of these grades are locked."))
    if errors:
        raise Rejected(*errors)
    await tx.rows(
        queries.reopen_grades,
        class_id=given["class_id"],
        semester_id=given["semester_id"],
        subject_ids=[each["subject_id"] for each in locked],
        numbers=[each["number"] for each in locked],
        user_id=tx.user_id,
        until=given["until"],
        reason=given["reason"],
    )
    return {"class_": given["class_id"], "reopened_count": len(locked)}


async def _lock_lessons(tx: MutationTransaction, given: Values) -> Sequence[Any]:
    """Locks the selected lessons until the transaction ends and returns them with what stands against posting."""
    place = {"class_id": given["class_id"], "semester_id": given["semester_id"], "subject_id": given.get("subject_id")}
    await tx.rows(queries.hold_lessons_to_post, **place)
    lessons = await tx.rows(queries.lessons_to_post, **place, user_id=tx.user_id)
    if not lessons:
        field = "subjectId" if given.get("subject_id") else "classId"
        raise rejected(
            field,
            "NOT_TAUGHT",
            "The class is not taught this subject in the semester."
            if field == "subjectId"
            else "The class is taught nothing in the semester.",
        )
    return lessons


def _lesson_errors(lessons: Sequence[Any]) -> list[UserError]:
    errors = []
    for each in lessons:
        if each["lock"]:
            errors.append(UserError("subjectId", each["lock"], f"{each['subject']}: {LOCKS[each['lock']]}"))
        if each["is_early"]:
            errors.append(
                UserError("semesterId", "NOT_OPEN", f"Final grades cannot be posted before {each['posting_opens_at'].isoformat()}.")
            )
    return list(dict.fromkeys(errors))


def _final_grades(
    lessons: Sequence[Any], postings: Sequence[Any], students: Sequence[UUID], marks: Sequence[Any], policy: Policy, today: Any
) -> list[dict[str, Any]]:
    credits_ = {each["subject_id"]: each["credits"] for each in lessons}
    by_place: defaultdict[tuple[UUID, UUID], list[Mark]] = defaultdict(list)
    for row in marks:
        mark = Mark(row["kind"], row["state"], row["score"], row["maximum"], row["weight"], row["day"], row["title"])
        by_place[row["student_id"], row["subject_id"]].append(mark)
    rows = []
    for posting in postings:
        for student in students:
            found = average(by_place[student, posting["subject_id"]], policy, today)
            result = grade(found.percentage, policy)
            rows.append(
                {
                    "posting_id": posting["id"],
                    "student_id": student,
                    "is_incomplete": found.is_incomplete,
                    "percentage": result.percentage,
                    "rounded": result.rounded,
                    "points": result.points,
                    "credits": credits_[posting["subject_id"]],
                    "letter": result.letter,
                    "facts": found.facts,
                }
            )
    return rows
