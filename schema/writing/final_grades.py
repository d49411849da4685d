"""Final grades, posted by teachers and reopened by administrators."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, classes, subjects
from resolvers.writing.final_grades import post_final_grades, reopen_grades
from schema.inputs import IdempotentInput, MutationInput, may, must, node_id
from schema.mutations import mutation, payload_node, payload_value
from schema.references import to_one

__all__ = ["PostingMutations"]

_CLASS = payload_node(classes.class_by_id, "The class.")


@strawberry.input(description="Whose final grades to post: a class's in a semester, in one subject or in all.")
class PostFinalGradesInput(IdempotentInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    semester_id: strawberry.ID = node_id(academic_years.Semester, "The semester.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject; left out: all that the class is taught.", optional=True)
    leave_out_not_recorded: bool | None = may(
        "Post although some who were in the class have no mark in an assessment: it then does not count for them. Otherwise it is refused."
    )


@strawberry.input(description="Which marks to open again, until when, and why.")
class ReopenGradesInput(MutationInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    semester_id: strawberry.ID = node_id(academic_years.Semester, "The semester.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject; left out: all that is locked.", optional=True)
    until: datetime = must("Until when, at most: posting them again closes them as well.")
    reason: str = must("Why, for the record: 1 to 500 characters.", multiline=True)


@strawberry.type(description="That the grades of a class in a subject were posted.")
class GradePosting:
    number: int = strawberry.field(description="The how many-th posting it is, from 1.")
    students: int = strawberry.field(description="How many students have a final grade by it.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")


def _postings(answered: Any) -> Any:
    return [
        SimpleNamespace(number=each["number"], students=each["students"], subject_id=UUID(str(each["subject_id"]))) for each in answered
    ]


@strawberry.type
class PostingMutations:
    post_final_grades = mutation(
        Capability.TEACH,
        PostFinalGradesInput,
        post_final_grades,
        scope="postFinalGrades",
        description="Freezes the final grades of everyone in a class, and locks its marks.",
        class_=_CLASS,
        postings=payload_value(list[GradePosting], "What was posted, by subject.", _postings, []),
    )
    reopen_grades = mutation(
        Capability.MANAGE_SCHOOL,
        ReopenGradesInput,
        reopen_grades,
        description="Opens locked marks again for a while. What was posted stays, until it is posted again.",
        class_=_CLASS,
        reopened=payload_value(int, "How many subjects were opened.", default=0),
    )
