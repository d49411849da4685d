"""Teachers."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["Teacher", "teacher_by_id", "teacher_by_user"]


class Teacher(Row):
    __slots__ = ()
    type_name = "Teacher"
    tag = "tea"


teacher_by_id = by_key(queries.teachers, Teacher)
teacher_by_user = by_key(queries.teachers, Teacher, "user", "user_id")
