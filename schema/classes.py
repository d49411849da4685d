"""Classes and their lessons."""

from datetime import datetime

import strawberry

from auth.capabilities import Capability
from execution.fields import edge
from resolvers import academic_years, classes, grading, subjects, teachers
from resolvers.attendance import breakdowns_per_class, summaries_per_class
from schema.attendance_summaries import breakdown_edge, summary_edge
from schema.connections import connection, root_connection
from schema.grading import GradingStatus, reports_edge
from schema.listings.assessments import ASSESSMENTS
from schema.listings.attendance import ATTENDANCE, REGISTERS
from schema.listings.classes import CLASS_SUBJECTS, CLASSES
from schema.listings.grading import FINAL_GRADES
from schema.listings.students import MEMBERSHIPS, STUDENTS
from schema.listings.subjects import SUBJECTS
from schema.nodes import Node, node, root_node
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Class", "ClassQueries", "ClassSubject"]


@node(classes.Class, classes.class_by_id)
@strawberry.type(description="A class of an academic year.")
class Class(Node):
    name: str = strawberry.field(description="The display name, such as 7b.")
    grade_level: int = strawberry.field(description="The grade level, from 0 (kindergarten) to 13.")
    section: str = strawberry.field(description="The section within the grade level.")
    room: str | None = strawberry.field(description="The homeroom.")
    capacity: int | None = strawberry.field(description="The maximum number of students.")
    current_enrollment: int = strawberry.field(description="The number of active students in the class.")
    is_active: bool = strawberry.field(description="Whether the class is active.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year.")
    teacher = to_one(teachers.teacher_by_id, "teacher_id", description="The homeroom teacher.")
    students = connection(
        STUDENTS, "class", cost=20, count_cost=20, description="The students who are now in the class, as far as you may see them, by name."
    )
    memberships = connection(MEMBERSHIPS, "class", description="The class memberships, latest first.")
    class_subjects = connection(CLASS_SUBJECTS, "class", description="The lessons: who teaches what in the class.")
    subjects = connection(SUBJECTS, "class", description="The subjects that are taught in the class, by name.")
    attendance = connection(ATTENDANCE, "class", count_cost=10, description="The attendance, as far as you may see it, latest date first.")
    attendance_summary = summary_edge(
        summaries_per_class, 0.3, "The whole-day attendance in a period, as far as you may see it; null without marks."
    )
    attendance_breakdown = breakdown_edge(
        breakdowns_per_class, 0.4, "The attendance, as far as you may see it, by day, week, month or subject."
    )
    registers = connection(
        REGISTERS, "class", cost=40, count_cost=10, description="The registers, as far as you may see them, latest date first."
    )
    assessments = connection(
        ASSESSMENTS, "class", cost=45, count_cost=40, description="The assessments, as far as you may see them, latest first."
    )
    final_grades = connection(
        FINAL_GRADES,
        "class",
        cost=400,
        count_cost=300,
        description="The final grades posted in the class, as far as you may see them, latest first.",
    )
    semester_reports = reports_edge()


@node(classes.ClassSubject, classes.class_subject_by_id)
@strawberry.type(description="A lesson: a subject that is taught in a class in a semester.")
class ClassSubject(Node):
    created_at: datetime = strawberry.field(description="When it was recorded.")
    version: int = version_field()
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    teacher = to_one(teachers.teacher_by_id, "teacher_id", description="The teacher; null if none is assigned.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="When.")
    grading_status: GradingStatus | None = edge(grading.marking_of_lesson, "id", description="Whether its grades may be changed now.")


@query_fields
class ClassQueries:
    class_ = root_node(Class, description="The class with this id.", name="class")
    classes = root_connection(CLASSES, Capability.SIGNED_IN, description="The classes, by grade level and section.")
