"""The subjects that teachers can teach, and the check that lessons go to active teachers. For administrators."""

from db.sql_catalog import queries
from resolvers.mutations import Action, MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.user_errors import UserError

__all__ = ["add_teacher_subject", "remove_teacher_subject", "require_active_teacher"]


async def add_teacher_subject(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Adds a subject to those a teacher can teach."""
    await tx.insert("teacher_subjects", given)
    return {"teacher": given["teacher_id"]}


async def remove_teacher_subject(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Removes a subject from those a teacher can teach. Existing lessons stay."""
    if await tx.value(queries.remove_teacher_subject, **given) is None:
        raise rejected("subjectId", "NOT_FOUND", "The subject is not one of the teacher's subjects.", teacher=given["teacher_id"])
    return {"teacher": given["teacher_id"]}


def require_active_teacher(action: Action) -> Action:
    """Wraps an action so that it is rejected if `teacher_id` is an inactive teacher. The teacher is locked, so nobody deactivates them meanwhile."""

    async def checked(tx: MutationTransaction, given: Values) -> PayloadValues:
        teacher = given.get("teacher_id")
        gone = teacher is not None and await tx.value(queries.hold_teacher, id=teacher) is False
        errors = (
            [UserError("teacherId", "NOT_ACTIVE", "The teacher is no longer active. Choose another teacher, or reactivate this one.")]
            if gone
            else []
        )
        try:
            objects = await action(tx, given)
        except Rejected as broken:
            raise Rejected(*errors, *broken.errors, **broken.objects) from None
        if errors:
            raise Rejected(*errors)
        return objects

    return checked
