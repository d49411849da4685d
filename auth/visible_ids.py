"""Reads the ids that decide which rows a viewer sees: those of the students, classes and people they are linked to.

They are read once per request and passed to every statement as arrays.
"""

from dataclasses import dataclass, field
from uuid import UUID

from auth.capabilities import NOUNS, unrestricted_nouns
from auth.viewer import Viewer
from db.pool import Database
from db.sql_catalog import queries

__all__ = ["EVERYTHING", "Reach", "read_reach"]


@dataclass(frozen=True, slots=True)
class Reach:
    """The ids that a viewer is linked to. They fill the `$reach_…` parameters of the visibility rules.

    `open` are the nouns of which the viewer sees every row. `taught_classes` and `taught_subjects` are parallel arrays: the (class, subject)
    pairs that the viewer teaches or has taught.
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
    """Reads the viewer's current reach with one statement. Administrators and anonymous viewers need none."""
    nouns = unrestricted_nouns(viewer)
    if nouns is NOUNS:
        return EVERYTHING
    if viewer.user_id is None:
        return Reach(nouns)
    statement = queries.reach_of_user.statement()
    row = await db.fetchrow(statement.sql, viewer.user_id)
    return Reach(nouns, users=[viewer.user_id], **dict(row))
