"""Search by name over students, teachers, guardians, classes and subjects."""

from typing import Any

from db.rows import Row
from db.sql_catalog import queries
from execution.errors import Refusal
from execution.loaders import Loader
from resolvers.classes import class_by_id
from resolvers.context import Context
from resolvers.guardians import guardian_by_id
from resolvers.students import student_by_id
from resolvers.subjects import subject_by_id
from resolvers.teachers import teacher_by_id
from rules.text import normal_text, storable_problem

__all__ = ["MAX_RESULTS", "search"]

MAX_RESULTS = 50
_LOADERS: dict[str, Loader] = {
    "stu": student_by_id,
    "tea": teacher_by_id,
    "gua": guardian_by_id,
    "cls": class_by_id,
    "sub": subject_by_id,
}


class Found(Row):
    __slots__ = ()


async def search(context: Context, text: str, tags: tuple[str, ...], first: int) -> list[Any]:
    """Returns the visible rows that `text` names, best match first: one statement, and one for each type found.

    Raises a BAD_USER_INPUT refusal for a text that is blank or too long, or a `first` out of range.
    """
    text = normal_text(text)
    problem = storable_problem(text)
    if problem is not None:
        raise Refusal("BAD_USER_INPUT", f"`text` {problem}.", argument="text")
    wanted = " ".join(text.split())
    if not 1 <= len(wanted) <= 100:
        raise Refusal("BAD_USER_INPUT", "`text` must have 1 to 100 characters.", argument="text")
    if not 0 <= first <= MAX_RESULTS:
        raise Refusal("BAD_USER_INPUT", f"`first` must be between 0 and {MAX_RESULTS}.", argument="first")
    found = await context.fetch(queries.search, Found, text=wanted, tags=tags, limit=first)
    # A student may be found by number and by name: the better place counts.
    best = dict.fromkeys((each["tag"], each["id"]) for each in found)
    waiting = [context.loaders.of(_LOADERS[tag]).load(identifier) for tag, identifier in list(best)[:first]]
    rows = [await each for each in waiting]
    return [row for row in rows if row is not None]
