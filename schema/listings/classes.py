"""Lists of classes and lessons (class subjects)."""

from datetime import date
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.academic_years import AcademicYear, Semester
from resolvers.classes import Class, ClassSubject
from resolvers.subjects import Subject
from resolvers.teachers import Teacher
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["CLASSES", "CLASS_SUBJECTS"]


@strawberry.enum(description="The fields by which classes can be sorted.")
class ClassOrderField(Enum):
    GRADE_LEVEL = strawberry.enum_value("grade_level", description="The grade level, then the section.")
    NAME = strawberry.enum_value("name", description="The name.")
    CURRENT_ENROLLMENT = strawberry.enum_value("current_enrollment", description="The number of students in the class.")


@strawberry.input(description="Conditions for classes.")
class ClassFilter:
    academic_year_ids: list[strawberry.ID] | None = id_filter(AcademicYear, "AcademicYear", description="Of these academic years.")
    teacher_ids: list[strawberry.ID] | None = id_filter(Teacher, "Teacher", description="Whose homeroom teacher is one of these.")
    grade_levels: list[int] | None = optional("Of one of these grade levels.")
    sections: list[str] | None = optional("Of one of these sections.")
    is_active: bool | None = optional("Whether the class is active.")
    enrollment_at_least: int | None = optional("With at least this many students.")
    enrollment_at_most: int | None = optional("With at most this many students.")


CLASSES = Listing(queries.classes, Class, order_input("Class", ClassOrderField), ClassOrderField.GRADE_LEVEL, ClassFilter)


@strawberry.enum(description="The fields by which class subjects can be sorted.")
class ClassSubjectOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it was recorded.")


@strawberry.input(description="Conditions for class subjects.")
class ClassSubjectFilter:
    semester_ids: list[strawberry.ID] | None = id_filter(Semester, "Semester", description="In one of these semesters.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="Of one of these subjects.")
    teacher_ids: list[strawberry.ID] | None = id_filter(Teacher, "Teacher", description="Taught by one of these teachers.")
    on: date | None = optional("Taught in the semester that contains this date.")


CLASS_SUBJECTS = Listing(
    queries.class_subjects,
    ClassSubject,
    order_input("ClassSubject", ClassSubjectOrderField),
    ClassSubjectOrderField.CREATED_AT,
    ClassSubjectFilter,
)
