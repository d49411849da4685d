"""Lists of grading scales and final grades."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.academic_years import Semester
from resolvers.classes import Class
from resolvers.grading import FinalGrade, GradingScale
from resolvers.students import Student
from resolvers.subjects import Subject
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["FINAL_GRADES", "GRADING_SCALES"]


@strawberry.enum(description="The fields by which grading scales can be sorted.")
class GradingScaleOrderField(Enum):
    NAME = strawberry.enum_value("name", description="The name.")


GRADING_SCALES = Listing(
    queries.grading_scales,
    GradingScale,
    order_input("GradingScale", GradingScaleOrderField),
    GradingScaleOrderField.NAME,
)


@strawberry.enum(description="The fields by which final grades can be sorted.")
class FinalGradeOrderField(Enum):
    POSTED_AT = strawberry.enum_value("created_at", description="When they were posted.")


@strawberry.input(description="Conditions for final grades.")
class FinalGradeFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Of these students.")
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Posted in these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(Semester, "Semester", description="Of these semesters.")
    is_current: bool | None = optional("Valid final grades (true), or those replaced by a later posting (false).")


FINAL_GRADES = Listing(
    queries.final_grades,
    FinalGrade,
    order_input("FinalGrade", FinalGradeOrderField),
    FinalGradeOrderField.POSTED_AT,
    FinalGradeFilter,
    descending=True,
)
