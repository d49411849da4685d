"""Mutations of final grades: posted by teachers, reopened by administrators."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, classes, subjects
from resolvers.writing.final_grades import post_final_grades, reopen_grades
from schema.inputs import IdempotentInput, MutationInput, node_id, optional, required
from schema.mutations import mutation, payload_node, payload_value
from schema.references import to_one
from schema.roots import mutation_fields

__all__ = ["PostingMutations"]

_CLASS = payload_node(classes.class_by_id, "The class.")


@strawberry.input(description="The final grades to post: of a class in a semester, in one subject or in all.")
class PostFinalGradesInput(IdempotentInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    semester_id: strawberry.ID = node_id(academic_years.Semester, "The semester.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject. Defaults to all subjects of the class.", optional=True)
    leave_out_not_recorded: bool | None = optional(
        "Whether to post even if students of the class have no grade in an assessment, which then does not count for"
        " them. Otherwise posting is rejected."
    )


@strawberry.input(description="The grades to reopen, until when, and why.")
class ReopenGradesInput(MutationInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    semester_id: strawberry.ID = node_id(academic_years.Semester, "The semester.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject. Defaults to all locked subjects.", optional=True)
    until: datetime = required("When the reopening ends at the latest; posting again ends it earlier.")
    reason: str = required("The reason, 1 to 500 characters.", multiline=True)


@strawberry.type(description="A posting of the grades of a class in a subject.")
class GradePosting:
    number: int = strawberry.field(description="The number of the posting, counted from 1.")
    student_count: int = strawberry.field(description="The number of students with a final grade.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")


def _postings(answered: Any) -> Any:
    return [
        SimpleNamespace(number=each["number"], student_count=each["students"], subject_id=UUID(str(each["subject_id"])))
        for each in answered
    ]


@mutation_fields
class PostingMutations:
    post_final_grades = mutation(
        Capability.TEACH,
        PostFinalGradesInput,
        post_final_grades,
        scope="postFinalGrades",
        description="Posts the final grades of everyone in a class and locks its grades.",
        class_=_CLASS,
        postings=payload_value(list[GradePosting], "The postings, by subject.", _postings, []),
    )
    reopen_grades = mutation(
        Capability.MANAGE_SCHOOL,
        ReopenGradesInput,
        reopen_grades,
        description="Reopens locked grades for a limited time. Posted final grades stay valid until they are posted again.",
        class_=_CLASS,
        reopened_count=payload_value(int, "The number of subjects that were reopened.", default=0),
    )
