"""Assessments, marks and grading scales, written by teachers and administrators."""

from datetime import date
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import strawberry

from auth.capabilities import Capability
from resolvers import classes, grades, grading, students, subjects
from resolvers.writing.grades import (
    create_assessment,
    delete_assessment,
    publish_assessment,
    record_grades,
    unpublish_assessment,
    update_assessment,
)
from resolvers.writing.grading_scales import create_grading_scale, update_grading_scale
from schema.inputs import CreateInput, IdempotentInput, MutationInput, UpdateInput, may, must, node_id
from schema.listings.assessments import GradeState
from schema.mutations import mutation, payload_node, payload_value
from schema.references import to_one
from schema.writing.calendar import DELETED

__all__ = ["GradeMutations"]

_ASSESSMENT = payload_node(grades.assessment_by_id, "The assessment as it is now.")
_SCALE = payload_node(grading.grading_scale_by_id, "The grading scale as it is now.")
_EXTRA = "How many points above the maximum may be given; none when left out: a score above the maximum is then refused as a slip."


@strawberry.input(description="What a class is to be marked on. Its semester is the one that has its day.")
class CreateAssessmentInput(CreateInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")
    assessment_type_id: strawberry.ID = node_id(subjects.AssessmentType, "The type.")
    assessment_date: date = must("The day it is held or due.")
    title: str = must("What it is about.")
    max_score: Decimal = must("The highest score.")
    extra_credit: Decimal | None = may(_EXTRA)
    weight: Decimal | None = may("How much it weighs among those of its type; 1 when left out.")


@strawberry.input(description="What to change of an assessment. Its class, subject and semester stay.")
class UpdateAssessmentInput(UpdateInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")
    assessment_type_id: strawberry.ID | None = node_id(subjects.AssessmentType, "The type.", optional=True)
    assessment_date: date | None = may("The day it is held or due.")
    title: str | None = may("What it is about.")
    max_score: Decimal | None = may("The highest score.")
    extra_credit: Decimal | None = may("How many points above the maximum may be given.")
    weight: Decimal | None = may("How much it weighs among those of its type.")


@strawberry.input(description="Which assessment.")
class PublishAssessmentInput(MutationInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")


@strawberry.input(description="Which assessment.")
class UnpublishAssessmentInput(MutationInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")


@strawberry.input(description="Which assessment.")
class DeleteAssessmentInput(MutationInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")


@strawberry.input(description="What one student got.")
class GradeEntryInput:
    student_id: strawberry.ID = node_id(students.Student, "The student, in the class on the assessment's day.")
    state: GradeState | None = may("What it is; SCORED when left out.")
    score: Decimal | None = may("The score, of a SCORED one alone; at most 3 decimals.")
    comment: str | None = may("A word to it; left out: as it is.", multiline=True)
    version: int | None = may("The version that you saw, 0 when there was none: when it has changed since, nothing is written.")
    client_id: UUID | None = may("The grade's UUID, when you make it yourself.")


@strawberry.input(description="The marks of a class in an assessment. Who is not named stays as they are.")
class RecordGradesInput(IdempotentInput):
    assessment_id: strawberry.ID = node_id(grades.Assessment, "The assessment.")
    entries: list[GradeEntryInput] = must("At most 500, each of another student.")


@strawberry.enum(description="What came of an entry of the mark book.")
class GradeChangeKind(Enum):
    CREATED = strawberry.enum_value("CREATED", description="The first mark of this student in it.")
    UPDATED = strawberry.enum_value("UPDATED", description="It changed what was there; the audit log keeps what it was.")
    UNCHANGED = strawberry.enum_value("UNCHANGED", description="It was there so already.")


@strawberry.type(description="What came of one entry of the mark book.")
class GradeChange:
    change: GradeChangeKind = strawberry.field(description="What came of it.")
    previous_state: GradeState | None = strawberry.field(description="What it was before; null when there was none.")
    previous_score: Decimal | None = strawberry.field(description="The score before; null when there was none.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    grade = to_one(grades.grade_by_id, "grade_id", description="The grade as it is now.")


@strawberry.input(description="From this bound on, the letter and its points.")
class GradingScaleBoundInput:
    lower_bound: Decimal = must("The lowest rounded percentage with this letter.")
    letter: str = must("The letter, 1 to 10 characters.")
    points: Decimal = must("What it counts in a grade point average.")


@strawberry.input(description="A grading scale.")
class CreateGradingScaleInput(CreateInput):
    name: str = must("The name.")
    is_default: bool | None = may("Whether averages are made by it from now on; the one that was the default no longer is.")
    bounds: list[GradingScaleBoundInput] = must("The lower bounds, each once, 0 among them.")


@strawberry.input(description="What to change of a grading scale. What is posted stays as it is.")
class UpdateGradingScaleInput(UpdateInput):
    id: strawberry.ID = node_id(grading.GradingScale, "The grading scale.")
    name: str | None = may("The name.")
    is_default: bool | None = may("Whether averages are made by it from now on; the one that was the default no longer is.")
    bounds: list[GradingScaleBoundInput] | None = may("The lower bounds, all of them anew.")


def _changes(answered: Any) -> Any:
    return [
        SimpleNamespace(
            change=each["change"],
            previous_state=each["previous_state"],
            previous_score=None if each["previous_score"] is None else Decimal(str(each["previous_score"])),
            student_id=UUID(str(each["student_id"])),
            grade_id=UUID(str(each["grade_id"])),
        )
        for each in answered
    ]


_TEACH, _ADMIN = Capability.TEACH, Capability.MANAGE_SCHOOL
_WARNINGS = payload_value(list[str], "What is allowed and odd: a higher bound that is worth fewer points.", default=[])


@strawberry.type
class GradeMutations:
    create_assessment = mutation(
        _TEACH,
        CreateAssessmentInput,
        create_assessment,
        description="Makes an assessment; nobody else sees it yet.",
        assessment=_ASSESSMENT,
    )
    update_assessment = mutation(
        _TEACH, UpdateAssessmentInput, update_assessment, description="Changes an assessment.", assessment=_ASSESSMENT
    )
    publish_assessment = mutation(
        _TEACH,
        PublishAssessmentInput,
        publish_assessment,
        description="Shows an assessment and its grades to students and guardians.",
        assessment=_ASSESSMENT,
    )
    unpublish_assessment = mutation(
        _TEACH,
        UnpublishAssessmentInput,
        unpublish_assessment,
        description="Hides an assessment and its grades from students and guardians.",
        assessment=_ASSESSMENT,
    )
    delete_assessment = mutation(
        _TEACH, DeleteAssessmentInput, delete_assessment, description="Deletes an assessment without marks.", deleted_id=DELETED
    )
    record_grades = mutation(
        _TEACH,
        RecordGradesInput,
        record_grades,
        scope="recordGrades",
        description="Records the marks of a class in an assessment, or changes them.",
        assessment=_ASSESSMENT,
        changes=payload_value(list[GradeChange], "What came of each entry, in their order.", _changes, []),
    )
    create_grading_scale = mutation(
        _ADMIN,
        CreateGradingScaleInput,
        create_grading_scale,
        description="Makes a grading scale.",
        grading_scale=_SCALE,
        warnings=_WARNINGS,
    )
    update_grading_scale = mutation(
        _ADMIN,
        UpdateGradingScaleInput,
        update_grading_scale,
        description="Changes a grading scale; averages that are not posted yet follow.",
        grading_scale=_SCALE,
        warnings=_WARNINGS,
    )
