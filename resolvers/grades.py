"""Assessments and grades."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["Assessment", "Grade", "assessment_by_id", "grade_by_id"]


class Assessment(Row):
    __slots__ = ()
    type_name = "Assessment"
    tag = "asm"


class Grade(Row):
    __slots__ = ()
    type_name = "Grade"
    tag = "gra"


assessment_by_id = by_key(queries.assessments, Assessment)
grade_by_id = by_key(queries.grades, Grade)
