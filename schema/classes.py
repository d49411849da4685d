"""Classes, and who teaches what in them."""

from datetime import datetime

import strawberry

from auth.capabilities import Capability
from execution.fields import edge
from resolvers import academic_years, classes, grading, subjects, teachers
from resolvers.attendance import breakdowns_per_class, summaries_per_class
from schema.attendance_summaries import breakdown_edge, summary_edge
from schema.connections import connection, root_connection
from schema.grading import Marking, reports_edge
from schema.listings.assessments import ASSESSMENTS
from schema.listings.attendance import ATTENDANCE, REGISTERS
from schema.listings.classes import CLASS_SUBJECTS, CLASSES
from schema.listings.grading import FINAL_GRADES
from schema.listings.students import MEMBERSHIPS, STUDENTS
from schema.listings.subjects import SUBJECTS
from schema.nodes import Node, node, root_node
from schema.references import to_one

__all__ = ["Class", "ClassQueries", "ClassSubject"]


@node(classes.Class, classes.class_by_id)
@strawberry.type(description="A class of an academic year.")
class Class(Node):
    name: str = strawberry.field(description="What people call it, such as 7b.")
    grade_level: int = strawberry.field(description="The grade level, 0 for kindergarten to 13.")
    section: str = strawberry.field(description="Which of the classes of its grade level.")
    room: str | None = strawberry.field(description="Where it is at home.")
    capacity: int | None = strawberry.field(description="How many students it has room for.")
    current_enrollment: int = strawberry.field(description="How many active students are in it.")
    is_active: bool = strawberry.field(description="Whether it is held now.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The year it is held in.")
    teacher = to_one(teachers.teacher_by_id, "teacher_id", description="The class's own teacher.")
    students = connection(STUDENTS, "class", cost=20, count_cost=20, description="The students now in it that you may see, by name.")
    memberships = connection(MEMBERSHIPS, "class", description="Who was in it from when to when, latest first.")
    class_subjects = connection(CLASS_SUBJECTS, "class", description="Who teaches what in it.")
    subjects = connection(SUBJECTS, "class", description="What is taught in it, by name.")
    attendance = connection(ATTENDANCE, "class", count_cost=10, description="Its attendance that you may see, latest day first.")
    attendance_summary = summary_edge(
        summaries_per_class, 0.3, "Its whole-day attendance over a span, as far as you may see it; null without marks in it."
    )
    attendance_breakdown = breakdown_edge(
        breakdowns_per_class, 0.4, "Its attendance, as far as you may see it, by day, week, month or subject."
    )
    registers = connection(REGISTERS, "class", cost=40, count_cost=10, description="Its registers that you may see, latest day first.")
    assessments = connection(ASSESSMENTS, "class", cost=45, count_cost=40, description="Its assessments that you may see, latest first.")
    final_grades = connection(
        FINAL_GRADES, "class", cost=400, count_cost=300, description="The final grades posted in it that you may see, latest first."
    )
    semester_reports = reports_edge()


@node(classes.ClassSubject, classes.class_subject_by_id)
@strawberry.type(description="That a subject is taught in a class in a semester.")
class ClassSubject(Node):
    created_at: datetime = strawberry.field(description="When it was recorded.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    teacher = to_one(teachers.teacher_by_id, "teacher_id", description="Who teaches it; null while nobody does.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="When.")
    marking: Marking | None = edge(grading.marking_of_lesson, "id", description="Whether its marks may be written now.")


@strawberry.type
class ClassQueries:
    class_ = root_node(Class, description="The class with this id.", name="class")
    classes = root_connection(CLASSES, Capability.SIGNED_IN, description="The classes, by grade level and section.")
