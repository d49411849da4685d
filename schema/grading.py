"""Grading scales, averages, reports, final grades: and how each value came about."""

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
from schema.references import to_one

__all__ = [
    "FinalGrade",
    "GradingQueries",
    "GradingScale",
    "Marking",
    "SemesterReport",
    "SubjectAverage",
    "report_edge",
    "reports_edge",
    "subject_average_edge",
]

_SEMESTER = strawberry.argument(description="The semester.")
_SUBJECT = strawberry.argument(description="The subject.")
# About as many as a class has; lists of them are counted so.
_CLASS_SIZE = 40
# Marks read, weighed and ranked.
_REPORT = 120
# A policy read and a policy applied.
_EXPLANATION = 8


@strawberry.type(description="From this bound on, the letter and its points.")
class GradingScaleBound:
    lower_bound: Decimal = strawberry.field(description="The lowest rounded percentage with this letter.")
    letter: str = strawberry.field(description="The letter.")
    points: Decimal = strawberry.field(description="What it counts in a grade point average.")


@node(grading.GradingScale, grading.grading_scale_by_id)
@strawberry.type(description="How percentages become letters: lower bounds, which include 0, so that nothing falls between two letters.")
class GradingScale(Node):
    name: str = strawberry.field(description="The name.")
    is_default: bool = strawberry.field(description="Whether the school's averages are made by it; at most one is.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    bounds: list[GradingScaleBound] = edge(grading.bounds_of_scale, "id", description="The bounds, highest first.")


@strawberry.type(description="One step of how a value came about.")
class ExplanationStep:
    label: str = strawberry.field(description="What it is about.")
    value: str | None = strawberry.field(description="How much; null when it only says something.")
    detail: str | None = strawberry.field(description="Why, in words.")


@strawberry.type(description="How a value came about.")
class Explanation:
    steps: list[ExplanationStep] = strawberry.field(description="The steps, in their order.")
    policy_version: str = strawberry.field(
        description="The version of the policy (scale, rounding, weights, what is missing) that it was made by: another one as soon as any of it is."
    )


@strawberry.enum(description="What a result is computed from.")
class GradeBasis(Enum):
    POSTED = strawberry.enum_value("POSTED", description="It is the final grade as it was posted.")
    ALL_MARKS = strawberry.enum_value("ALL_MARKS", description="All marks, published or not.")
    CLASS_MARKS = strawberry.enum_value(
        "CLASS_MARKS", description="The marks in your class, published or not; not those from another class before."
    )
    PUBLISHED_MARKS = strawberry.enum_value("PUBLISHED_MARKS", description="Published marks alone: what the student sees.")


_UNROUNDED = "The average in per cent, unrounded (to 10 decimals); null without a mark that counts."
_ROUNDED = "The average rounded, once, by the school's policy."
_LETTER = "The letter of the rounded average; null without an average, or without a default scale."
_POINTS = "What the letter counts in a grade point average."
_INCOMPLETE = "Whether a mark is incomplete: it is left out until it is there."


@strawberry.type(description="A student's result in a subject and semester.")
class SubjectAverage:
    basis: GradeBasis | None = strawberry.field(description="What it is computed from; null when nothing of it is in your reach.")
    percentage: Decimal | None = computed(lambda each: each.result.percentage, description=_UNROUNDED)
    rounded: Decimal | None = computed(lambda each: each.result.rounded, description=_ROUNDED)
    letter: str | None = computed(lambda each: each.result.letter, description=_LETTER)
    points: Decimal | None = computed(lambda each: each.result.points, description=_POINTS)
    credits: Decimal = strawberry.field(description="How much the subject weighs in a grade point average.")
    is_incomplete: bool = strawberry.field(description=_INCOMPLETE)
    explanation: Explanation = computed(lambda each: each.explanation, metadata={COST: _EXPLANATION}, description="How it came about.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    final_grade = to_one(
        grading.final_grade_by_id, "final_grade_id", description="The final grade that it is; null while it is not posted."
    )


@strawberry.type(description="A student's semester: final grades where they are posted, averages so far where they are not.")
class SemesterReport:
    subjects: list[SubjectAverage] = strawberry.field(description="The result in each subject, by name.")
    gpa: Decimal | None = computed(
        lambda report: None if report.grade_point_average is None else round_by(report.grade_point_average, "HALF_UP", 2),
        description="The grade point average over subjects with credit, to two decimals, halves up; null without points, or when not all of it is"
        " in your reach.",
    )
    is_posted: bool = strawberry.field(description="Whether all of its grades are posted.")
    rank: int | None = strawberry.field(
        description="The place in the class by grade point average, once all of the class's grades are posted; equals share a place. Null unless"
        " the school shows ranks."
    )
    ranked_students: int | None = strawberry.field(description="How many have a rank; null without one.")
    explanation: Explanation = computed(
        lambda report: report.explanation, metadata={COST: _EXPLANATION}, description="How the grade point average came about."
    )
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class that the student was in last in the semester.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester.")


@node(grading.FinalGrade, grading.final_grade_by_id)
@strawberry.type(
    description="A student's grade in a subject and semester as it was posted. It never changes; a later posting makes another."
)
class FinalGrade(Node):
    number: int = strawberry.field(description="Which posting of this student's grade it is, from 1.")
    is_current: bool = strawberry.field(description="Whether it counts: no later posting has replaced it.")
    percentage: Decimal | None = strawberry.field(description=_UNROUNDED)
    rounded: Decimal | None = computed(
        lambda row: None if row["rounded"] is None else round_by(row["rounded"], "DOWN", int(row["policy"]["rounding"][1])),
        description=_ROUNDED,
    )
    letter: str | None = strawberry.field(description="The letter of the rounded average; null when no mark counted.")
    points: Decimal | None = strawberry.field(description=_POINTS)
    credits: Decimal = strawberry.field(description="How much the subject weighed in a grade point average.")
    is_incomplete: bool = strawberry.field(description="Whether a mark was incomplete when it was posted.")
    posted_at: datetime = computed(lambda row: row["created_at"], description="When it was posted.")
    explanation: Explanation = computed(
        grading.explain_final_grade, metadata={COST: _EXPLANATION}, description="How it came about, by the policy of then."
    )
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class it was posted in.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester.")
    posted_by = to_one(users.user_by_id, "posted_by", description="Who posted it.")


@strawberry.enum(description="Why marks may not be written.")
class MarksLock(Enum):
    POSTED = strawberry.enum_value("POSTED", description="The final grades are posted.")
    WINDOW_CLOSED = strawberry.enum_value("WINDOW_CLOSED", description="The semester's posting window has closed.")


@strawberry.type(description="Whether marks of a class in a subject and semester may be written now.")
class Marking:
    lock: MarksLock | None = strawberry.field(description="Why they may not; null: they may.")
    posted_at: datetime | None = strawberry.field(description="When final grades were last posted; null: not yet.")
    reopened_until: datetime | None = strawberry.field(description="Until when an administrator has opened them again.")


def subject_average_edge() -> Any:
    """A field of a student: the average in a subject and semester."""

    def prepare(
        self: Any, info: Info, subject_id: Annotated[strawberry.ID, _SUBJECT], semester_id: Annotated[strawberry.ID, _SEMESTER]
    ) -> SubjectAverage | None:
        subject = read_id(subject_id, subjects.Subject.tag, subjects.Subject.type_name, "subjectId")
        return (*_of_semester(semester_id), ("subject_id", subject))  # type: ignore[return-value]  # the loader's argument

    description = "The average so far of the marks that you may see in a subject and semester; null without such marks."
    return edge_with(grading.subject_average, "id", description=description, metadata={COST: 25})(prepare)


def report_edge() -> Any:
    """A field of a student: the semester's report."""

    def prepare(self: Any, info: Info, semester_id: Annotated[strawberry.ID, _SEMESTER]) -> SemesterReport | None:
        return _of_semester(semester_id)  # type: ignore[return-value]  # the loader's argument

    description = "The student's report of a semester; null when the student was in no class then, or in none that you may see."
    return edge_with(grading.semester_report, "id", description=description, metadata={COST: _REPORT})(prepare)


def reports_edge() -> Any:
    """A field of a class: the reports of who was in it."""

    def prepare(self: Any, info: Info, semester_id: Annotated[strawberry.ID, _SEMESTER]) -> list[SemesterReport]:
        return _of_semester(semester_id)  # type: ignore[return-value]  # the loader's argument

    description = "The reports of those who were in it last in a semester and whom you may see, by name."
    return edge_with(grading.reports_of_class, "id", description=description, metadata={SIZED_BY: _CLASS_SIZE, EACH: _REPORT})(prepare)


def _of_semester(semester_id: str) -> tuple[tuple[str, Any], ...]:
    tag, name = academic_years.Semester.tag, academic_years.Semester.type_name
    return (("semester_id", read_id(semester_id, tag, name, "semesterId")),)


@strawberry.type
class GradingQueries:
    grading_scale = root_node(GradingScale, description="The grading scale with this id.")
    grading_scales = root_connection(GRADING_SCALES, Capability.SIGNED_IN, description="The grading scales, by name.")
    final_grade = root_node(FinalGrade, description="The final grade with this id.")
    final_grades = root_connection(
        FINAL_GRADES, Capability.SIGNED_IN, count_cost=500, description="The posted final grades you may see, latest first."
    )
