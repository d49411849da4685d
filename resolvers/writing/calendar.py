"""The school's calendar and lessons, written where more than one row is concerned. Administrators do."""

from uuid import UUID

from db.sql_catalog import queries
from resolvers.classes import ClassSubject
from resolvers.identifiers import write_id
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected

__all__ = ["create_academic_year", "remove_class_subject", "update_academic_year", "update_school"]

# No year has it: all others are left.
_NO_YEAR = UUID(int=0)


async def create_academic_year(tx: MutationTransaction, given: Values) -> PayloadValues:
    """A new year. When it is to be the current one, the one that was no longer is."""
    if given.get("is_current"):
        await tx.rows(queries.leave_current_year, id=_NO_YEAR)
    return {"academic_year": await tx.insert("academic_years", given)}


async def update_academic_year(tx: MutationTransaction, given: Values) -> PayloadValues:
    """A changed year. When it becomes the current one, the one that was no longer is."""
    year, version = given.pop("id"), given.pop("version")
    if given.get("is_current"):
        await tx.rows(queries.leave_current_year, id=year)
    return {"academic_year": await tx.update("academic_years", year, version, given, payload_field="academic_year")}


async def remove_class_subject(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Takes a lesson back that nothing was assessed in. Nobody assesses anything in it meanwhile."""
    await tx.rows(queries.lock_lesson, id=given["id"])
    if await tx.value(queries.lessons_with_assessments, id=given["id"]):
        raise rejected(
            "id", "IN_USE", "The class has assessments in this subject, so it cannot be removed. Assign it to another teacher instead."
        )
    return {"deleted_id": write_id(ClassSubject.tag, await tx.delete("class_subjects", given["id"]))}


async def update_school(tx: MutationTransaction, given: Values) -> PayloadValues:
    """The school's settings. The first call sets the school up. School days are a set: each is kept once, Monday first."""
    found = await tx.row(queries.school)
    version = given.pop("version")
    if given.get("school_days") is not None:
        given["school_days"] = sorted(set(given["school_days"]))
    if found is None:
        return {"school": await tx.insert("school_settings", given)}
    return {"school": await tx.update("school_settings", found["id"], version, given, payload_field="school")}
