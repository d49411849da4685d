"""Who is whose guardian, written. Administrators do."""

from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected

__all__ = ["link_guardian", "unlink_guardian"]


async def link_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Links a guardian to a student. Linked already: how they are related is changed. At most one is the first whom the school turns to.

    The student's row is locked: of two links at once, the second sees the first.
    """
    await tx.rows(queries.hold_students, ids=[given["student_id"]])
    found = await tx.row(queries.guardianship, guardian_id=given["guardian_id"], student_id=given["student_id"])
    if given.get("is_primary"):
        await tx.rows(queries.no_other_primary_guardian, guardian_id=given["guardian_id"], student_id=given["student_id"])
    if found is None:
        link = await tx.insert("guardian_students", given)
    else:
        changes = {name: given[name] for name in ("relationship", "is_primary") if given.get(name) is not None}
        link = await tx.update("guardian_students", found["id"], None, changes)
    return {"guardianship": link, "guardian": given["guardian_id"], "student": given["student_id"]}


async def unlink_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Takes the link back: from the next request on the guardian sees nothing of the student. The audit log keeps what it was."""
    found = await tx.row(queries.guardianship, **given)
    if found is None:
        raise rejected("studentId", "NOT_FOUND", "The guardian is not linked to this student.")
    await tx.delete("guardian_students", found["id"])
    return {"guardian": given["guardian_id"], "student": given["student_id"]}
