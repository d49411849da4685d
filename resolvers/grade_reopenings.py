"""Reopenings of locked marks."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["GradeReopening", "grade_reopening_by_id"]


class GradeReopening(Row):
    __slots__ = ()
    type_name = "GradeReopening"
    tag = "gro"


grade_reopening_by_id = by_key(queries.grade_reopenings, GradeReopening)
