"""Mutations of the school's settings, academic years and lessons that affect more than one row. For administrators."""

from uuid import UUID

from db.sql_catalog import queries
from resolvers.classes import ClassSubject
from resolvers.identifiers import write_id
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected

__all__ = ["create_academic_year", "remove_class_subject", "update_academic_year", "update_school"]

# The id of no year, so that all years are reset.
_NO_YEAR = UUID(int=0)


async def create_academic_year(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates a year. If it becomes the current one, the previous one no longer is."""
    if given.get("is_current"):
        await tx.rows(queries.leave_current_year, id=_NO_YEAR)
    return {"academic_year": await tx.insert("academic_years", given)}


async def update_academic_year(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Updates a year. If it becomes the current one, the previous one no longer is."""
    year, version = given.pop("id"), given.pop("version")
    if given.get("is_current"):
        await tx.rows(queries.leave_current_year, id=year)
    return {"academic_year": await tx.update("academic_years", year, version, given, payload_field="academic_year")}


async def remove_class_subject(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deletes a lesson without assessments; it is locked, so none is created meanwhile."""
    await tx.rows(queries.lock_lesson, id=given["id"])
    if await tx.value(queries.lessons_with_assessments, id=given["id"]):
        raise rejected(
            "id", "IN_USE", "The class has assessments in this subject, so it cannot be removed. Assign it to another teacher instead."
        )
    return {"deleted_id": write_id(ClassSubject.tag, await tx.delete("class_subjects", given["id"]))}


async def update_school(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Updates the school's settings; the first call creates them. School days are a set, stored in order from Monday."""
    school = await tx.row(queries.school)
    version = given.pop("version")
    if given.get("school_days") is not None:
        given["school_days"] = sorted(set(given["school_days"]))
    if school is None:
        return {"school": await tx.insert("school_settings", given)}
    return {"school": await tx.update("school_settings", school["id"], version, given, payload_field="school")}
