"""Mutations of assessments, grades and grading scales, for teachers and administrators."""

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
from schema.inputs import CreateInput, IdempotentInput, MutationInput, UpdateInput, node_id, optional, required
from schema.listings.assessments import GradeState
from schema.mutations import mutation, payload_node, payload_value
from schema.references import to_one
from schema.roots import mutation_fields
from schema.writing.calendar import DELETED

__all__ = ["GradeMutations"]

_ASSESSMENT = payload_node(grades.assessment_by_id, "The assessment as it is now.")
_SCALE = payload_node(grading.grading_scale_by_id, "The grading scale as it is now.")
_EXTRA = "The points by which a score may exceed the maximum. Defaults to 0: higher scores are rejected as mistakes."


@strawberry.input(description="An assessment. Its date determines the semester.")
class CreateAssessmentInput(CreateInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    subject_id: strawberry.ID = node_id(subjects.Subject, "The subject.")
    assessment_type_id: strawberry.ID = node_id(subjects.AssessmentType, "The type.")
    assessment_date: date = required("The date on which it takes place or is due.")
    title: str = required("The description.")
    max_score: Decimal = required("The maximum score.")
    extra_credit: Decimal | None = optional(_EXTRA)
    weight: Decimal | None = optional("The weight among assessments of its type. Defaults to 1.")


@strawberry.input(description="Changes to an assessment. Its class, subject and semester cannot be changed.")
class UpdateAssessmentInput(UpdateInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")
    assessment_type_id: strawberry.ID | None = node_id(subjects.AssessmentType, "The type.", optional=True)
    assessment_date: date | None = optional("The date on which it takes place or is due.")
    title: str | None = optional("The description.")
    max_score: Decimal | None = optional("The maximum score.")
    extra_credit: Decimal | None = optional("The points by which a score may exceed the maximum.")
    weight: Decimal | None = optional("The weight among assessments of its type.")


@strawberry.input(description="The assessment.")
class PublishAssessmentInput(MutationInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")


@strawberry.input(description="The assessment.")
class UnpublishAssessmentInput(MutationInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")


@strawberry.input(description="The assessment.")
class DeleteAssessmentInput(MutationInput):
    id: strawberry.ID = node_id(grades.Assessment, "The assessment.")


@strawberry.input(description="A student's grade.")
class GradeEntryInput:
    student_id: strawberry.ID = node_id(students.Student, "The student, who must have been in the class on the date of the assessment.")
    state: GradeState | None = optional("The state. Defaults to SCORED.")
    score: Decimal | None = optional("The score, for a SCORED grade only; at most 3 decimals.")
    comment: str | None = optional("The comment. If absent, it is not changed.", multiline=True)
    version: int | None = optional("The version that you read, 0 if there was no grade. If it has changed since then, nothing is written.")
    client_id: UUID | None = optional("The UUID of the grade, if the client generates it.")


@strawberry.input(description="Grades of a class in an assessment. Students without an entry keep their grades.")
class RecordGradesInput(IdempotentInput):
    assessment_id: strawberry.ID = node_id(grades.Assessment, "The assessment.")
    entries: list[GradeEntryInput] = required("At most 500 entries, one per student.")


@strawberry.enum(description="The effect of an entry in the gradebook.")
class GradeChangeKind(Enum):
    CREATED = strawberry.enum_value("CREATED", description="The grade was created.")
    UPDATED = strawberry.enum_value("UPDATED", description="The grade was changed; the audit log keeps the previous values.")
    UNCHANGED = strawberry.enum_value("UNCHANGED", description="The grade already had these values.")


@strawberry.type(description="The result of an entry in the gradebook.")
class GradeChange:
    change: GradeChangeKind = strawberry.field(description="The result.")
    previous_state: GradeState | None = strawberry.field(description="The previous state; null if there was no grade.")
    previous_score: Decimal | None = strawberry.field(description="The previous score; null if there was none.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    grade = to_one(grades.grade_by_id, "grade_id", description="The grade as it is now.")


@strawberry.input(description="The letter and grade points from a lower bound on.")
class GradingScaleBoundInput:
    lower_bound: Decimal = required("The lowest rounded percentage with this letter.")
    letter: str = required("The letter, 1 to 10 characters.")
    points: Decimal = required("The grade points.")


@strawberry.input(description="A grading scale.")
class CreateGradingScaleInput(CreateInput):
    name: str = required("The name.")
    is_default: bool | None = optional("Whether it becomes the default scale for averages, in place of the previous one.")
    bounds: list[GradingScaleBoundInput] = required("The lower bounds, which must be unique and include 0.")


@strawberry.input(description="Changes to a grading scale. Posted final grades do not change.")
class UpdateGradingScaleInput(UpdateInput):
    id: strawberry.ID = node_id(grading.GradingScale, "The grading scale.")
    name: str | None = optional("The name.")
    is_default: bool | None = optional("Whether it becomes the default scale for averages, in place of the previous one.")
    bounds: list[GradingScaleBoundInput] | None = optional("The lower bounds, which replace all existing ones.")


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
_WARNINGS = payload_value(list[str], "Warnings about unusual bounds: a higher bound with fewer grade points.", default=[])


@mutation_fields
class GradeMutations:
    create_assessment = mutation(
        _TEACH,
        CreateAssessmentInput,
        create_assessment,
        description="Creates an assessment, not yet visible to students and guardians.",
        assessment=_ASSESSMENT,
    )
    update_assessment = mutation(
        _TEACH, UpdateAssessmentInput, update_assessment, description="Updates an assessment.", assessment=_ASSESSMENT
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
        _TEACH, DeleteAssessmentInput, delete_assessment, description="Deletes an assessment without grades.", deleted_id=DELETED
    )
    record_grades = mutation(
        _TEACH,
        RecordGradesInput,
        record_grades,
        scope="recordGrades",
        description="Records or changes grades of a class in an assessment.",
        assessment=_ASSESSMENT,
        changes=payload_value(list[GradeChange], "The result of each entry, in order.", _changes, []),
    )
    create_grading_scale = mutation(
        _ADMIN,
        CreateGradingScaleInput,
        create_grading_scale,
        description="Creates a grading scale.",
        grading_scale=_SCALE,
        warnings=_WARNINGS,
    )
    update_grading_scale = mutation(
        _ADMIN,
        UpdateGradingScaleInput,
        update_grading_scale,
        description="Updates a grading scale. Averages follow; posted final grades do not change.",
        grading_scale=_SCALE,
        warnings=_WARNINGS,
    )
