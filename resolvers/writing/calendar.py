"""The school's calendar and lessons, written where more than one row is concerned. Administrators do."""

from uuid import UUID

from db.sql_catalog import queries
from resolvers.classes import ClassSubject
from resolvers.identifiers import write_id
from resolvers.mutations import Objects, Values, Write, rejected

__all__ = ["create_academic_year", "remove_class_subject", "update_academic_year", "update_school"]

# No year has it: all others are left.
_NONE = UUID(int=0)


async def create_academic_year(write: Write, given: Values) -> Objects:
    """A new year. When it is to be the current one, the one that was no longer is."""
    if given.get("is_current"):
        await write.rows(queries.leave_current_year, id=_NONE)
    return {"academic_year": await write.insert("academic_years", given)}


async def update_academic_year(write: Write, given: Values) -> Objects:
    """A changed year. When it becomes the current one, the one that was no longer is."""
    year, version = given.pop("id"), given.pop("version")
    if given.get("is_current"):
        await write.rows(queries.leave_current_year, id=year)
    return {"academic_year": await write.change("academic_years", year, version, given, shows="academic_year")}


async def remove_class_subject(write: Write, given: Values) -> Objects:
    """Takes a lesson back that nothing was assessed in. Nobody assesses anything in it meanwhile."""
    await write.rows(queries.lock_lesson, id=given["id"])
    if await write.value(queries.lessons_with_assessments, id=given["id"]):
        raise rejected(
            "id", "IN_USE", "The class has assessments in this subject, so it cannot be removed. Assign it to another teacher instead."
        )
    return {"deleted_id": write_id(ClassSubject.tag, await write.delete("class_subjects", given["id"]))}


async def update_school(write: Write, given: Values) -> Objects:
    """The school's settings. The first call sets the school up. School days are a set: each is kept once, Monday first."""
    found = await write.row(queries.school)
    version = given.pop("version")
    if given.get("school_days") is not None:
        given["school_days"] = sorted(set(given["school_days"]))
    if found is None:
        return {"school": await write.insert("school_settings", given)}
    return {"school": await write.change("school_settings", found["id"], version, given, shows="school")}
