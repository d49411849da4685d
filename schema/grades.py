"""Grades in assessments."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, classes, grades, students, subjects, users
from schema.connections import root_connection
from schema.listings.assessments import GRADES, GradeState
from schema.nodes import Node, node
from schema.record_fields import version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Grade", "GradeQueries"]


@node(grades.Grade, grades.grade_by_id)
@strawberry.type(description="A student's grade in an assessment.")
class Grade(Node):
    state: GradeState = strawberry.field(description="Whether there is a score, and if not, why.")
    score: Decimal | None = strawberry.field(description="The score as recorded; null if there is none.")
    percentage: Decimal | None = strawberry.field(description="The score as a percentage of the maximum score.")
    letter: str | None = strawberry.field(description="The letter by the school's grading scale when the grade was recorded.")
    comment: str | None = strawberry.field(description="The teacher's comment.")
    is_published: bool = strawberry.field(description="Whether it is visible to the student and their guardians.")
    assessment_date: date = strawberry.field(description="The date of the assessment.")
    created_at: datetime = strawberry.field(description="When it was recorded.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = version_field()
    student = to_one(students.student_by_id, "student_id", description="The student.")
    assessment = to_one(grades.assessment_by_id, "assessment_id", description="The assessment.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class in which it was given.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    assessment_type = to_one(subjects.assessment_type_by_id, "assessment_type_id", description="The type of assessment.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester it counts for.")
    recorded_by = to_one(users.user_by_id, "recorded_by", description="Who recorded it.")


@query_fields
class GradeQueries:
    grades = root_connection(GRADES, Capability.SIGNED_IN, count_cost=1_000, description="The grades you may see, latest first.")
