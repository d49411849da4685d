"""Links between guardians and students. For administrators."""

from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected

__all__ = ["link_guardian", "unlink_guardian"]


async def link_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Links a guardian to a student, or updates their link. A student has at most one primary guardian.

    The student's row is locked, so that of two concurrent links the second sees the first.
    """
    await tx.rows(queries.hold_students, ids=[given["student_id"]])
    link_row = await tx.row(queries.guardianship, guardian_id=given["guardian_id"], student_id=given["student_id"])
    if given.get("is_primary"):
        await tx.rows(queries.no_other_primary_guardian, guardian_id=given["guardian_id"], student_id=given["student_id"])
    if link_row is None:
        link = await tx.insert("guardian_students", given)
    else:
        changes = {name: given[name] for name in ("relationship", "is_primary") if given.get(name) is not None}
        link = await tx.update("guardian_students", link_row["id"], None, changes)
    return {"guardianship": link, "guardian": given["guardian_id"], "student": given["student_id"]}


async def unlink_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Removes a link: from the next request on the guardian sees nothing of the student. The audit log keeps it."""
    link_row = await tx.row(queries.guardianship, **given)
    if link_row is None:
        raise rejected("studentId", "NOT_FOUND", "The guardian is not linked to this student.")
    await tx.delete("guardian_students", link_row["id"])
    return {"guardian": given["guardian_id"], "student": given["student_id"]}
