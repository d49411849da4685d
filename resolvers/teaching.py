"""What teachers can teach, written. Administrators do."""

from db.queries import queries
from resolvers.writing import Objects, Values, Write, rejected

__all__ = ["add_teacher_subject", "remove_teacher_subject"]


async def add_teacher_subject(write: Write, given: Values) -> Objects:
    """Notes that a teacher can teach a subject."""
    await write.insert("teacher_subjects", given)
    return {"teacher": given["teacher_id"]}


async def remove_teacher_subject(write: Write, given: Values) -> Objects:
    """Notes that a teacher can no longer teach a subject. Lessons that they give stay theirs."""
    if await write.value(queries.remove_teacher_subject, **given) is None:
        raise rejected("subjectId", "NOT_FOUND", "The teacher does not have this subject.", teacher=given["teacher_id"])
    return {"teacher": given["teacher_id"]}
