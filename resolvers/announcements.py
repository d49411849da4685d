"""Announcements to a class or to the whole school: how they are read, and who writes them."""

from typing import Any
from uuid import UUID

from auth.capabilities import Capability
from db.rows import Row
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.identifiers import write_id
from resolvers.loaders import by_key
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected

__all__ = ["Announcement", "announcement_by_id", "create_announcement", "delete_announcement", "update_announcement"]


class Announcement(Row):
    __slots__ = ()
    type_name = "Announcement"
    tag = "ann"


announcement_by_id = by_key(queries.announcements, Announcement)


async def create_announcement(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates an announcement. Raises FORBIDDEN for a teacher who does not teach in the class today."""
    await _check_writer(tx, given.get("class_id"))
    return {"announcement": await tx.insert("announcements", given | {"author_id": tx.user_id})}


async def update_announcement(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Changes the text of an announcement, or the moment at which it is published. Its class stays. Raises FORBIDDEN as creating does."""
    row_id, version = given.pop("id"), given.pop("version")
    await _check_writer(tx, await _class_of(tx, row_id))
    return {"announcement": await tx.update("announcements", row_id, version, given, payload_field="announcement")}


async def delete_announcement(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deletes an announcement; the audit log keeps its text. Raises FORBIDDEN as creating does."""
    await _check_writer(tx, await _class_of(tx, given["id"]))
    return {"deleted_id": write_id(Announcement.tag, await tx.delete("announcements", given["id"]))}


async def _class_of(tx: MutationTransaction, row_id: UUID) -> UUID | None:
    """Returns the class of an announcement, None of a school-wide one. One that the writer may not see does not exist for them."""
    found: Any = await tx.visible_row(queries.announcement_to_write, id=row_id)
    if found is None:
        raise rejected("id", "NOT_FOUND", "There is no announcement with this id.")
    class_id: UUID | None = found["class_id"]
    return class_id


async def _check_writer(tx: MutationTransaction, class_id: UUID | None) -> None:
    """Administrators announce to anyone, the teachers of a class to their class (docs/access.md)."""
    is_administrator = tx.has_capability(Capability.MANAGE_SCHOOL)
    if class_id is None:
        if not is_administrator:
            raise rejected("classId", "REQUIRED", "Only administrators announce to the whole school. Choose one of your classes.")
        return
    found = await tx.row(queries.class_to_announce_to, class_id=class_id, user_id=tx.user_id)
    if found is None:
        raise rejected("classId", "NOT_FOUND", "There is no class with this id.")
    if not (is_administrator or found["is_teacher"]):
        raise Refusal("FORBIDDEN", "Only administrators and the teachers of a class announce to it.")
