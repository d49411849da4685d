"""A viewer's reach: the ids that their links lead to, read once per request and passed to every statement as arrays."""

from dataclasses import dataclass, field
from uuid import UUID

from auth.capabilities import NOUNS, unrestricted_nouns
from auth.viewer import Viewer
from db.pool import Database
from db.sql_catalog import queries

__all__ = ["EVERYTHING", "Reach", "read_reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a viewer sees. `open` are the nouns they see all rows of; the arrays fill `$reach_…` in the visibility rules.

    `taught_classes` and `taught_subjects` are parallel: the pairs that the viewer teaches or taught.
    """

    open: frozenset[str]
    users: list[UUID] = field(default_factory=list)
    teachers: list[UUID] = field(default_factory=list)
    guardians: list[UUID] = field(default_factory=list)
    students: list[UUID] = field(default_factory=list)
    own_students: list[UUID] = field(default_factory=list)
    own_classes: list[UUID] = field(default_factory=list)
    taught_students: list[UUID] = field(default_factory=list)
    taught_classes: list[UUID] = field(default_factory=list)
    taught_subjects: list[UUID] = field(default_factory=list)
    homeroom_classes: list[UUID] = field(default_factory=list)


EVERYTHING = Reach(NOUNS)


async def read_reach(db: Database, viewer: Viewer) -> Reach:
    """The viewer's reach as it is now: one statement, none for an administrator, or for nobody in particular."""
    nouns = unrestricted_nouns(viewer)
    if nouns is NOUNS:
        return EVERYTHING
    if viewer.user_id is None:
        return Reach(nouns)
    statement = queries.reach_of_user.statement()
    row = await db.fetchrow(statement.sql, viewer.user_id)
    return Reach(nouns, users=[viewer.user_id], **dict(row))
