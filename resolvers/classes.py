"""Classes, and who teaches what in them."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["Class", "ClassSubject", "class_by_id", "class_subject_by_id"]


class Class(Row):
    __slots__ = ()
    type_name = "Class"
    tag = "cls"


class ClassSubject(Row):
    __slots__ = ()
    type_name = "ClassSubject"
    tag = "csu"


class_by_id = by_key(queries.classes, Class)
class_subject_by_id = by_key(queries.class_subjects, ClassSubject)
