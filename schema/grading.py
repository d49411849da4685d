"""Grading scales, averages, reports and final grades, with their calculations."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, EACH, SIZED_BY
from execution.fields import computed, edge, edge_with
from resolvers import academic_years, classes, grading, students, subjects, users
from resolvers.identifiers import read_id
from rules.grading import round_by
from schema.connections import root_connection
from schema.listings.grading import FINAL_GRADES, GRADING_SCALES
from schema.nodes import Node, node, root_node
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = [
    "FinalGrade",
    "GradingQueries",
    "GradingScale",
    "GradingStatus",
    "SemesterReport",
    "SubjectAverage",
    "report_edge",
    "reports_edge",
    "subject_average_edge",
]

_SEMESTER = strawberry.argument(
    description="The semester. Defaults to the current one, which contains today in the school's time zone; without one the error is"
    " `NO_CURRENT_SEMESTER`."
)
_SUBJECT = strawberry.argument(description="The subject.")
# The assumed number of students in a class, for the cost of lists of reports.
_CLASS_SIZE = 40
# Reading, weighting and ranking grades.
_REPORT = 120
# Reading and applying a policy.
_EXPLANATION = 8


@strawberry.type(description="The letter and grade points from a lower bound on.")
class GradingScaleBound:
    lower_bound: Decimal = strawberry.field(description="The lowest rounded percentage with this letter.")
    letter: str = strawberry.field(description="The letter.")
    points: Decimal = strawberry.field(description="The grade points.")


@node(grading.GradingScale, grading.grading_scale_by_id)
@strawberry.type(
    description="A grading scale: lower bounds that map percentages to letters. They include 0, so every percentage has a letter."
)
class GradingScale(Node):
    name: str = strawberry.field(description="The name.")
    is_default: bool = strawberry.field(description="Whether it is the default scale for the school's averages; at most one is.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    bounds: list[GradingScaleBound] = edge(grading.bounds_of_scale, "id", description="The bounds, highest first.")


@strawberry.type(description="A step in the calculation of a value.")
class ExplanationStep:
    label: str = strawberry.field(description="The description.")
    value: str | None = strawberry.field(description="The value; null if the step is only a remark.")
    detail: str | None = strawberry.field(description="The explanation, in words.")


@strawberry.type(description="The calculation of a value.")
class Explanation:
    steps: list[ExplanationStep] = strawberry.field(description="The steps, in order.")
    policy_version: str = strawberry.field(
        description="The version of the grading policy used (scale, rounding, weights, missing grades); it changes whenever any of"
        " these does."
    )


@strawberry.enum(description="The grades from which a result is computed.")
class GradeBasis(Enum):
    POSTED = strawberry.enum_value("POSTED", description="The posted final grade.")
    ALL_GRADES = strawberry.enum_value("ALL_GRADES", description="All grades, published or not.")
    CLASS_GRADES = strawberry.enum_value(
        "CLASS_GRADES", description="The grades from your class, published or not, but not those from a student's earlier class."
    )
    PUBLISHED_GRADES = strawberry.enum_value("PUBLISHED_GRADES", description="Published grades only, as the student sees them.")


_UNROUNDED = "The average as a percentage, unrounded (to 10 decimals); null without a grade that counts."
_ROUNDED = "The average, rounded once by the school's policy."
_LETTER = "The letter for the rounded average; null without an average or a default grading scale."
_POINTS = "The grade points of the letter."
_INCOMPLETE = "Whether a grade is incomplete; it is ignored until it is recorded."


@strawberry.type(description="A student's result in a subject and semester.")
class SubjectAverage:
    basis: GradeBasis | None = strawberry.field(description="The grades it is computed from; null if you may not see any of them.")
    percentage: Decimal | None = computed(lambda each: each.result.percentage, description=_UNROUNDED)
    rounded: Decimal | None = computed(lambda each: each.result.rounded, description=_ROUNDED)
    letter: str | None = computed(lambda each: each.result.letter, description=_LETTER)
    points: Decimal | None = computed(lambda each: each.result.points, description=_POINTS)
    credits: Decimal = strawberry.field(description="The credits of the subject in a grade point average.")
    is_incomplete: bool = strawberry.field(description=_INCOMPLETE)
    explanation: Explanation = computed(
        lambda each: each.explanation, metadata={COST: _EXPLANATION}, description="How the value was calculated."
    )
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    final_grade = to_one(grading.final_grade_by_id, "final_grade_id", description="The posted final grade; null if it is not posted.")


@strawberry.type(description="A student's report for a semester: posted final grades, and current averages where none are posted.")
class SemesterReport:
    subjects: list[SubjectAverage] = strawberry.field(description="The result in each subject, by name.")
    gpa: Decimal | None = computed(
        lambda report: None if report.grade_point_average is None else round_by(report.grade_point_average, "HALF_UP", 2),
        description="The grade point average over subjects with credits, rounded half up to two decimals; null without grade"
        " points, or if you may not see all of them.",
    )
    is_posted: bool = strawberry.field(description="Whether all of its final grades are posted.")
    rank: int | None = strawberry.field(
        description="The rank in the class by grade point average, once all of the class's grades are posted; equal averages share"
        " a rank. Null unless the school shows ranks."
    )
    ranked_student_count: int | None = strawberry.field(description="The number of ranked students; null without a rank.")
    explanation: Explanation = computed(
        lambda report: report.explanation, metadata={COST: _EXPLANATION}, description="How the grade point average was calculated."
    )
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The student's last class in the semester.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester.")


@node(grading.FinalGrade, grading.final_grade_by_id)
@strawberry.type(
    description="A student's final grade in a subject and semester, as posted. It never changes; posting again creates a new one."
)
class FinalGrade(Node):
    number: int = strawberry.field(description="The number of the posting of this student's grade, counted from 1.")
    is_current: bool = strawberry.field(description="Whether it is valid: no later posting has replaced it.")
    percentage: Decimal | None = strawberry.field(description=_UNROUNDED)
    rounded: Decimal | None = computed(
        lambda row: None if row["rounded"] is None else round_by(row["rounded"], "DOWN", int(row["policy"]["rounding"][1])),
        description=_ROUNDED,
    )
    letter: str | None = strawberry.field(description="The letter for the rounded average; null if no grade counted.")
    points: Decimal | None = strawberry.field(description=_POINTS)
    credits: Decimal = strawberry.field(description="The credits of the subject in the grade point average.")
    is_incomplete: bool = strawberry.field(description="Whether a grade was incomplete when it was posted.")
    posted_at: datetime = computed(lambda row: row["created_at"], description="When it was posted.")
    explanation: Explanation = computed(
        grading.explain_final_grade, metadata={COST: _EXPLANATION}, description="How the value was calculated, by the policy of that time."
    )
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class it was posted in.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester.")
    posted_by = to_one(users.user_by_id, "posted_by", description="Who posted it.")


@strawberry.enum(description="Why grades are locked.")
class GradeLockReason(Enum):
    POSTED = strawberry.enum_value("POSTED", description="The final grades have been posted.")
    WINDOW_CLOSED = strawberry.enum_value("WINDOW_CLOSED", description="The semester's posting window has closed.")


@strawberry.type(description="Whether the grades of a class in a subject and semester may be changed now.")
class GradingStatus:
    lock_reason: GradeLockReason | None = strawberry.field(description="Why the grades are locked; null if they are not.")
    posted_at: datetime | None = strawberry.field(description="When final grades were last posted; null if they were not.")
    reopened_until: datetime | None = strawberry.field(description="When an administrator's reopening ends.")


def subject_average_edge() -> Any:
    """Declares the field of a student with the average in a subject and semester."""

    def prepare(
        self: Any,
        info: Info,
        subject_id: Annotated[strawberry.ID, _SUBJECT],
        semester_id: Annotated[strawberry.ID | None, _SEMESTER] = strawberry.UNSET,
    ) -> SubjectAverage | None:
        subject = read_id(subject_id, subjects.Subject.tag, subjects.Subject.type_name, "subjectId")
        return (*_of_semester(semester_id), ("subject_id", subject))  # type: ignore[return-value]  # the loader's argument

    description = "The current average of the grades that you may see in a subject and semester; null without such grades."
    return edge_with(grading.subject_average, "id", description=description, metadata={COST: 25})(prepare)


def report_edge() -> Any:
    """Declares the field of a student with the report of a semester."""

    def prepare(self: Any, info: Info, semester_id: Annotated[strawberry.ID | None, _SEMESTER] = strawberry.UNSET) -> SemesterReport | None:
        return _of_semester(semester_id)  # type: ignore[return-value]  # the loader's argument

    description = "The student's report for a semester; null if the student was in no class then, or in none that you may see."
    return edge_with(grading.semester_report, "id", description=description, metadata={COST: _REPORT})(prepare)


def reports_edge() -> Any:
    """Declares the field of a class with the reports of its students."""

    def prepare(self: Any, info: Info, semester_id: Annotated[strawberry.ID | None, _SEMESTER] = strawberry.UNSET) -> list[SemesterReport]:
        return _of_semester(semester_id)  # type: ignore[return-value]  # the loader's argument

    description = "The semester reports of the students who were in the class last in the semester, as far as you may see them, by name."
    return edge_with(grading.reports_of_class, "id", description=description, metadata={SIZED_BY: _CLASS_SIZE, EACH: _REPORT})(prepare)


def _of_semester(semester_id: str | None) -> tuple[tuple[str, Any], ...]:
    """Returns the loader's argument: the id of a semester, or None for the current one."""
    tag, name = academic_years.Semester.tag, academic_years.Semester.type_name
    return (("semester_id", read_id(semester_id, tag, name, "semesterId") if semester_id else None),)


@query_fields
class GradingQueries:
    grading_scale = root_node(GradingScale, description="The grading scale with this id.")
    grading_scales = root_connection(GRADING_SCALES, Capability.SIGNED_IN, description="The grading scales, by name.")
    final_grade = root_node(FinalGrade, description="The final grade with this id.")
    final_grades = root_connection(
        FINAL_GRADES, Capability.SIGNED_IN, count_cost=500, description="The posted final grades you may see, latest first."
    )
