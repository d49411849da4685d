"""Promotion of all students into the next academic year: planned first, then applied if nothing has changed since."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from db.row_writes import to_json
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.context import Context
from resolvers.identifiers import write_id
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.students import Student
from resolvers.user_errors import UserError
from rules.promotion import Member, Override, Plan, Target, make_plan

__all__ = ["apply_promotion", "preview_promotion"]

_END = {"PROMOTE": "PROMOTED", "REPEAT": "REPEATED", "GRADUATE": "GRADUATED", "LEAVE": "LEFT"}
_ROW_MESSAGES = {
    "NO_CLASS": "The new academic year has no class of this grade level and section.",
    "CLASS_FULL": "The class in the new academic year is full.",
    "WRONG_CLASS": "The class is not one of the new academic year.",
}
# The most errors that a rejected promotion reports.
_MAX_ERRORS = 100


async def preview_promotion(context: Context, given: Values) -> Plan:
    """Plans the promotion of every student; writes nothing. Raises a BAD_USER_INPUT refusal for years that do not follow each other."""
    try:
        return (await _plan(context.database.fetch, given))[0]
    except Rejected as broken:
        problems = [{"argument": each.field, "code": each.code, "message": each.message} for each in broken.errors]
        raise Refusal("BAD_USER_INPUT", " ".join(each.message for each in broken.errors), problems=problems) from None


async def apply_promotion(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Applies a plan completely or not at all. Rejected if a row has an error or the plan has changed."""
    planned_hash = given.pop("hash")
    await tx.rows(queries.lock_promotion_members, from_year_id=given["from_academic_year_id"])
    await tx.rows(queries.lock_promotion_targets, to_year_id=given["to_academic_year_id"])
    plan, years = await _plan(tx.connection.fetch, given)
    if plan.hash != planned_hash:
        raise rejected(
            "hash", "PLAN_CHANGED", "Students, classes or your overrides have changed since the plan. Review a new plan and send its hash."
        )
    errors = [
        UserError(f"students.{write_id(Student.tag, row.student_id)}", row.error, _ROW_MESSAGES[row.error])
        for row in plan.rows
        if row.error
    ]
    unknown = set(plan.unknown)
    errors += [
        UserError(f"overrides.{n}.studentId", "NOT_IN_YEAR", "The student is in no class of the academic year that ends.")
        for n, each in enumerate(given.get("overrides") or [])
        if each["student_id"] in unknown
    ]
    if years["today"] < years["end_date"]:
        errors.insert(0, UserError("fromAcademicYearId", "YEAR_NOT_OVER", f"The academic year is not over until {years['end_date']}."))
    if errors:
        raise Rejected(*errors[:_MAX_ERRORS])
    eve = years["start_date"] - timedelta(days=1)
    stays = {row.membership_id: row.to_class_id is not None for row in plan.rows}
    ends = [
        {
            "membership_id": row.membership_id,
            # Without a gap for students who stay; on the year's last day for those who leave.
            "to_date": eve if stays[row.membership_id] else years["end_date"],
            "end_reason": _END[row.action],
        }
        for row in plan.rows
    ]
    begins = [
        {"student_id": row.student_id, "class_id": row.to_class_id, "reason": _END[row.action]} for row in plan.rows if row.to_class_id
    ]
    await tx.rows(queries.end_memberships, ends=to_json(ends))
    await tx.rows(queries.begin_memberships, begins=to_json(begins), from_date=years["start_date"])
    await tx.rows(queries.students_go, ids=[row.student_id for row in plan.rows if not row.to_class_id])
    return {
        "promoted_count": plan.count("PROMOTE"),
        "repeated_count": plan.count("REPEAT"),
        "graduated_count": plan.count("GRADUATE"),
        "left_count": plan.count("LEAVE"),
    }


async def _plan(fetch: Callable[..., Any], given: Values) -> tuple[Plan, Any]:
    years = {"from_year_id": given["from_academic_year_id"], "to_year_id": given["to_academic_year_id"]}
    found = await fetch(*queries.promotion_years.bind(**years))
    if not found:
        raise rejected("toAcademicYearId", "NOT_FOUND", "There is no such academic year.")
    if found[0]["start_date"] <= found[0]["end_date"]:
        raise rejected("toAcademicYearId", "NOT_LATER", "The new academic year must begin after the other one ends.")
    overrides: dict[Any, Override] = {}
    twice = []
    for n, each in enumerate(given.get("overrides") or []):
        if each["student_id"] in overrides:
            twice.append(UserError(f"overrides.{n}.studentId", "TWICE", "The student is listed more than once."))
        overrides[each["student_id"]] = Override(each["action"], each.get("class_id"))
    if twice:
        raise Rejected(*twice)
    members = [Member(**dict(row)) for row in await fetch(*queries.promotion_members.bind(from_year_id=years["from_year_id"]))]
    targets = [Target(**dict(row)) for row in await fetch(*queries.promotion_targets.bind(to_year_id=years["to_year_id"]))]
    return make_plan(members, targets, overrides), found[0]
