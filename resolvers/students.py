"""Students and the history of their classes."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["ClassMembership", "Student", "membership_by_id", "student_by_id", "student_by_number", "student_by_user"]


class Student(Row):
    __slots__ = ()
    type_name = "Student"
    tag = "stu"


class ClassMembership(Row):
    __slots__ = ()
    type_name = "ClassMembership"
    tag = "mem"


student_by_id = by_key(queries.students, Student)
student_by_number = by_key(queries.students, Student, "number", "student_number")
student_by_user = by_key(queries.students, Student, "user", "user_id")
membership_by_id = by_key(queries.class_history, ClassMembership)
