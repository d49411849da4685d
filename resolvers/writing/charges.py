"""Charges: a charge run for many students is previewed, then created if nothing has changed since. For the bursar."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.sql_catalog import queries
from resolvers.context import Context
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected, version_conflict
from resolvers.user_errors import UserError
from rules.charges import Candidate, Plan, Terms, make_plan
from rules.money import fits, format_amount

__all__ = ["Preview", "cancel_charge", "create_charges", "preview_charges", "reason_errors", "update_charge"]

_MAX_TEXT = 300
# The most errors that a rejected run reports, and the most charges that the payload of a run shows.
_MAX_ROWS = 100
# A run over more students is planned beside the event loop.
_PLANNED_AT_ONCE = 100
Fetch = Callable[..., Awaitable[list[Any]]]


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of planning a charge run: a plan, or the errors of its input."""

    plan: Plan | None
    errors: Sequence[UserError]

    @property
    def academic_year_id(self) -> UUID | None:
        return None if self.plan is None else self.plan.terms.academic_year_id


async def preview_charges(context: Context, given: Values) -> Preview:
    """Plans a charge run: who would be charged what. Writes nothing."""
    try:
        return Preview(await _plan(context.database.fetch, given), [])
    except Rejected as broken:
        return Preview(None, broken.errors)


async def create_charges(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates all charges of a previewed run, or none. Rejected if a row has an error or the plan has changed since the preview."""
    previewed_hash = given.pop("hash")
    await tx.rows(queries.lock_charge_category, fee_category_id=given["fee_category_id"])
    plan = await _plan(tx.connection.fetch, given)
    if plan.hash != previewed_hash:
        raise rejected(
            "hash",
            "PLAN_CHANGED",
            "Students, charges or your input have changed since the preview. Review a new preview and send its hash.",
        )
    errors = [
        UserError(
            f"students.{row.student_id}", "ALREADY_CHARGED", "The student already has the same charge. Set `allowAgain` to charge it again."
        )
        for row in plan.rows
        if row.error
    ]
    if errors:
        raise Rejected(*errors[:_MAX_ROWS])
    terms = plan.terms
    made = await tx.rows(
        queries.create_charges,
        student_ids=[row.student_id for row in plan.rows],
        user_id=tx.user_id,
        fee_category_id=terms.fee_category_id,
        academic_year_id=terms.academic_year_id,
        due_date=terms.due_date,
        amount=terms.amount,
        currency=terms.currency,
        description=terms.description,
    )
    charge_ids = [row["id"] for row in made[:_MAX_ROWS]]
    return {"charge_count": len(made), "total": plan.total, "currency": terms.currency, "charges": charge_ids}


async def cancel_charge(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Cancels a charge whose payments, if any, were all refunded. It stays in the books."""
    errors = reason_errors(given)
    charge = await tx.row(queries.lock_charge, id=given["id"])
    if charge is None:
        errors.append(UserError("id", "NOT_FOUND", "There is no such charge."))
    elif charge["cancelled_at"] is not None:
        errors.append(UserError("id", "CANCELLED", "The charge is already cancelled."))
    elif charge["paid_total"] != charge["refunded_total"]:
        errors.append(UserError("id", "HAS_PAYMENTS", "The charge has payments. Refund or correct them first."))
    if errors:
        raise Rejected(*errors)
    await tx.rows(queries.cancel_charge, id=charge["id"], reason=given["reason"])
    return {"charge": charge["id"]}


async def update_charge(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Changes the due date or description of a charge that is not cancelled; student, amount and currency never change."""
    charge = await tx.row(queries.lock_charge, id=given["id"])
    if charge is None:
        raise rejected("id", "NOT_FOUND", "There is no such charge.")
    if charge["version"] != given["version"]:
        raise version_conflict(charge=charge["id"])
    errors = _description_errors(given)
    if charge["cancelled_at"] is not None:
        errors.append(UserError("id", "CANCELLED", "A cancelled charge cannot be changed."))
    if "due_date" in given and given["due_date"] is None:
        errors.append(UserError("dueDate", "REQUIRED", "A charge must have a due date."))
    if errors:
        raise Rejected(*errors)
    changed = {name: given.get(name, charge[name]) for name in ("due_date", "description")}
    if any(changed[name] != charge[name] for name in changed):
        await tx.rows(queries.change_charge, id=charge["id"], **changed)
    return {"charge": charge["id"]}


def reason_errors(given: Values) -> list[UserError]:
    """Returns errors for a missing or too long reason: cancellations, waivers, refunds and corrections need one."""
    reason = given.get("reason") or ""
    if not reason:
        return [UserError("reason", "REQUIRED", "A reason must be given.")]
    return [] if len(reason) <= _MAX_TEXT else [UserError("reason", "INVALID", f"The reason must have at most {_MAX_TEXT} characters.")]


def _description_errors(given: Values) -> list[UserError]:
    if len(given.get("description") or "") <= _MAX_TEXT:
        return []
    return [UserError("description", "INVALID", f"The description must have at most {_MAX_TEXT} characters.")]


async def _plan(fetch: Fetch, given: Values) -> Plan:
    """Plans the run with the data as it is now. Raises Rejected with everything that is wrong with it."""
    errors = _description_errors(given)
    terms = await _terms(fetch, given, errors)
    student_ids = await _student_ids(fetch, given, errors)
    if errors or terms is None:
        raise Rejected(*errors)
    rows = await fetch(
        *queries.charge_candidates.bind(
            student_ids=student_ids,
            fee_category_id=terms.fee_category_id,
            academic_year_id=terms.academic_year_id,
            due_date=terms.due_date,
            description=terms.description,
        )
    )
    known_ids = {row["student_id"] for row in rows}
    for n, each in enumerate(student_ids):
        if each not in known_ids:
            errors.append(UserError(f"studentIds.{n}", "NOT_FOUND", "There is no such student."))
    if errors:
        raise Rejected(*errors)

    def plan() -> Plan:
        return make_plan(terms, [Candidate(row["student_id"], row["is_active"], row["repeats"]) for row in rows])

    # For a whole school it takes some 10 ms.
    return await asyncio.to_thread(plan) if len(rows) > _PLANNED_AT_ONCE else plan()


async def _terms(fetch: Fetch, given: Values, errors: list[UserError]) -> Terms | None:
    found = await fetch(*queries.charge_category.bind(fee_category_id=given["fee_category_id"]))
    year_id = given.get("academic_year_id")
    years = await fetch(*queries.charge_year.bind(academic_year_id=year_id, due_date=given["due_date"]))
    if not years and year_id is not None:
        errors.append(UserError("academicYearId", "NOT_FOUND", "There is no such academic year."))
    elif not years:
        errors.append(
            UserError(
                "dueDate", "OUTSIDE_YEAR", "The due date is in no academic year. Set `academicYearId` to the year that the charge is for."
            )
        )
    if not found:
        errors.append(UserError("feeCategoryId", "NOT_FOUND", "There is no such fee category."))
        return None
    category = found[0]
    if not category["is_active"]:
        errors.append(UserError("feeCategoryId", "INACTIVE", "The fee category is no longer in use."))
    amount = given.get("amount")
    if amount is None:
        amount = category["default_amount"]
    if amount is None:
        errors.append(UserError("amount", "REQUIRED", "The fee category has no default amount, so an amount must be given."))
    elif not fits(amount, category["currency"]):
        errors.append(
            UserError("amount", "INVALID", "The amount must be greater than zero and must not have more decimals than its currency.")
        )
    if errors:
        return None
    return Terms(
        given["fee_category_id"],
        years[0]["id"],
        given["due_date"],
        format_amount(amount, category["currency"]),
        category["currency"],
        given.get("description") or None,
        bool(given.get("allow_again")),
    )


async def _student_ids(fetch: Fetch, given: Values, errors: list[UserError]) -> list[UUID]:
    """Returns the students to charge, selected in exactly one of the possible ways."""
    selectors = [name for name in ("student_ids", "class_id", "everyone") if given.get(name) is not None]
    level = given.get("grade_level")
    if len(selectors) != 1:
        errors.append(UserError(None, "ONE_OF", "Give exactly one of `studentIds`, `classId` and `everyone`."))
        return []
    if level is not None and selectors != ["everyone"]:
        errors.append(UserError("gradeLevel", "NOT_ALLOWED", "`gradeLevel` can only be used with `everyone`."))
    if selectors == ["student_ids"]:
        found = given["student_ids"]
        times: Counter[Any] = Counter(found)
        errors += [
            UserError(f"studentIds.{n}", "TWICE", "The student is listed more than once.")
            for n, each in enumerate(found)
            if each is not None and times[each] > 1
        ]
    elif selectors == ["class_id"]:
        rows = await fetch(*queries.class_to_charge.bind(class_id=given["class_id"]))
        if not rows:
            errors.append(UserError("classId", "NOT_FOUND", "There is no such class."))
            return []
        found = rows[0]["student_ids"]
    elif given["everyone"] == "IN_SCHOOL":
        found = [row["id"] for row in await fetch(*queries.school_to_charge.bind(grade_level=level))]
    else:
        values = {"fee_category_id": given["fee_category_id"], "due_date": given["due_date"], "grade_level": level}
        found = [row["id"] for row in await fetch(*queries.category_to_charge.bind(**values))]
    if not found:
        errors.append(UserError(None, "NOBODY", "There are no students to charge."))
    return list(found)
