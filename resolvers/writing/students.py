"""Students and their classes. Within an enrolment the class history has neither gaps nor overlaps."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.user_errors import UserError
from resolvers.writing.people import create_person, lock_for_update, update_person

__all__ = ["begin_membership", "create_student", "deactivate_student", "move_student", "reenroll_student", "update_student"]

_DAY = timedelta(days=1)


async def create_student(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates a student with an account without a password, in a class from the enrolment date on if one is given."""
    class_id = given.pop("class_id", None)
    today = await tx.value(queries.school_day)
    if given.get("enrollment_date") is None:
        given.pop("enrollment_date", None)
    student = await create_person(tx, "students", "STUDENT", given, defaults={"enrollment_date": today})
    now = await tx.row(queries.enrolment, student_id=student)
    if class_id is not None and now["id"] is None:
        await begin_membership(tx, student, class_id, given.get("enrollment_date") or today, "ENROLLED", today)
    return {"student": student}


async def update_student(tx: MutationTransaction, given: Values) -> PayloadValues:
    return {"student": await update_person(tx, queries.lock_student, "students", given, "student")}


async def move_student(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Moves a student to another class from a date on (default: today). The history keeps both.

    A move on the first day in a class corrects that entry. A student with attendance or grades in the old class cannot be moved to before them.
    """
    student = await lock_for_update(tx, queries.lock_student, given["id"], given.get("version"), "student")
    if not student["is_active"]:
        raise rejected("id", "NOT_ACTIVE", "The student has left the school. Re-enrol them instead.")
    now = await tx.row(queries.enrolment, student_id=student["id"])
    if now["id"] is None:
        day: date = given.get("on") or now["today"]
        reason = "RETURNED" if now["ended"] else "ENROLLED"
        await begin_membership(tx, student["id"], given["class_id"], day, reason, now["today"], given.get("note"))
        return {"student": student["id"]}
    # A student whose membership begins later (after the holidays, say) is moved as of its first day.
    day = given.get("on") or max(now["today"], now["from_date"])
    if now["class_id"] == given["class_id"]:
        raise rejected("classId", "NO_CHANGE", "The student is already in this class.")
    latest = max(now["today"], now["from_date"])
    errors = await _class_errors(tx, given["class_id"], day, latest)
    if day < now["from_date"]:
        errors.append(
            UserError("on", "TOO_EARLY", f"The date must not be before {now['from_date']}, when the student joined their present class.")
        )
    else:
        errors += await _mark_errors(tx, student["id"], now["class_id"], day)
    if errors:
        raise Rejected(*errors)
    if day == now["from_date"]:
        await tx.update("student_class_history", now["id"], None, {"class_id": given["class_id"], "note": given.get("note")})
    else:
        await tx.update("student_class_history", now["id"], None, {"to_date": day - _DAY, "end_reason": "MOVED"})
        await begin_membership(tx, student["id"], given["class_id"], day, "MOVED", now["today"], given.get("note"))
    return {"student": student["id"]}


async def deactivate_student(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deactivates a student who leaves: the date (default: today) is the last day in the class, and the account can no longer sign in."""
    student = await lock_for_update(tx, queries.lock_student, given["id"], given["version"], "student")
    now = await tx.row(queries.enrolment, student_id=student["id"])
    day: date = given.get("on") or now["today"]
    if day > now["today"]:
        raise rejected("on", "IN_FUTURE", "The date must not be in the future. Make this change on the day or later.")
    end = {"to_date": day, "end_reason": given.get("reason") or "LEFT", "note": given.get("note")}
    if now["id"] is not None and now["from_date"] > now["today"]:
        await _cancel_future_membership(tx, student["id"], now["id"], end)
    elif now["id"] is not None:
        await _end_membership(tx, student["id"], now, end)
    await tx.update("students", student["id"], None, {"is_active": False})
    await tx.rows(queries.set_user_active, user_id=student["user_id"], role="STUDENT", is_active=False)
    return {"student": student["id"]}


async def _end_membership(tx: MutationTransaction, student_id: UUID, membership: Any, end: Values) -> None:
    if end["to_date"] < membership["from_date"]:
        raise rejected(
            "on", "TOO_EARLY", f"The date must not be before {membership['from_date']}, when the student joined their present class."
        )
    errors = await _mark_errors(tx, student_id, membership["class_id"], end["to_date"] + _DAY)
    if errors:
        raise Rejected(*errors)
    await tx.update("student_class_history", membership["id"], None, end)


async def _cancel_future_membership(tx: MutationTransaction, student_id: UUID, ahead: UUID, end: Values) -> None:
    """Handles a student who leaves before the first day in a class: the future membership is deleted, and the class before is the last one."""
    await tx.delete("student_class_history", ahead)
    before = await tx.row(queries.last_membership, student_id=student_id)
    if before is not None and before["goes_on"]:
        await _end_membership(tx, student_id, before, {**end, "to_date": min(end["to_date"], before["to_date"])})


async def reenroll_student(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Enrols a student who comes back, in a class from a date on."""
    student = await lock_for_update(tx, queries.lock_student, given["id"], given["version"], "student")
    now = await tx.row(queries.enrolment, student_id=student["id"])
    if student["is_active"] or now["id"] is not None:
        raise rejected("id", "NO_CHANGE", "The student is already enrolled.")
    await tx.update("students", student["id"], None, {"is_active": True})
    await tx.rows(queries.set_user_active, user_id=student["user_id"], role="STUDENT", is_active=True)
    await begin_membership(
        tx, student["id"], given["class_id"], given.get("on") or now["today"], "RETURNED", now["today"], given.get("note")
    )
    return {"student": student["id"]}


async def begin_membership(
    tx: MutationTransaction, student_id: UUID, class_id: UUID, day: date, reason: str, today: date, note: str | None = None
) -> None:
    """Begins a class membership: the class must have room, and the date must be in its academic year.

    A student without a class may be entered ahead of the date; a move takes effect on its day, since the present class grants access until then.
    """
    errors = await _class_errors(tx, class_id, day, max(day, today) if reason != "MOVED" else today)
    if errors:
        raise Rejected(*errors)
    values = {"student_id": student_id, "class_id": class_id, "from_date": day, "reason": reason, "note": note}
    try:
        await tx.insert("student_class_history", values)
    except Rejected as broken:
        raise Rejected(
            *({"fromDate": rejected("on", each.code, each.message).errors[0]}.get(each.field or "", each) for each in broken.errors)
        ) from None


async def _class_errors(tx: MutationTransaction, class_id: UUID, day: date, latest: date) -> list[UserError]:
    """Returns what prevents entering a class on a date, which must not be after `latest`. Locks the class until the transaction ends."""
    school_class = await tx.row(queries.class_to_enter, id=class_id)
    if school_class is None:
        return [UserError("classId", "NOT_FOUND", "There is no such class.")]
    errors = []
    if not school_class["is_active"]:
        errors.append(UserError("classId", "NOT_ACTIVE", "The class is no longer active."))
    if school_class["capacity"] is not None and school_class["current_enrollment"] >= school_class["capacity"]:
        errors.append(
            UserError("classId", "CLASS_FULL", f"The class is full: {school_class['name']} has {school_class['capacity']} places.")
        )
    if day > latest:
        errors.append(UserError("on", "IN_FUTURE", "The date must not be in the future. Make this change on the day or later."))
    if not school_class["start_date"] <= day <= school_class["end_date"]:
        errors.append(
            UserError(
                "on",
                "OUTSIDE_YEAR",
                f"The date must be within the class's academic year, {school_class['start_date']} to {school_class['end_date']}.",
            )
        )
    return errors


async def _mark_errors(tx: MutationTransaction, student_id: UUID, class_id: UUID, day: date) -> list[UserError]:
    if await tx.value(queries.marks_since, student_id=student_id, class_id=class_id, day=day):
        return [
            UserError(
                "on",
                "HAS_MARKS",
                f"The student has attendance or grades in their present class from {day} on, so they cannot leave it before that.",
            )
        ]
    return []
