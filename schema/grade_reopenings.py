"""Reopenings of locked marks, for administrators: what was opened for whom, and what came of it."""

from datetime import datetime
from enum import Enum

import strawberry

from auth.capabilities import Capability
from db.sql_catalog import queries
from resolvers import academic_years, classes, grade_reopenings, subjects, users
from schema.connections import Listing, id_filter, optional, order_input, root_connection
from schema.nodes import Node, node
from schema.references import to_one

__all__ = ["GradeReopening", "GradeReopeningQueries"]


@node(grade_reopenings.GradeReopening, grade_reopenings.grade_reopening_by_id)
@strawberry.type(description="That locked marks of a class in a subject and semester were opened again for a while.")
class GradeReopening(Node):
    after_number: int = strawberry.field(description="After the how many-th posting; 0: before the first, when the window had closed.")
    reason: str = strawberry.field(description="Why.")
    created_at: datetime = strawberry.field(description="When.")
    open_until: datetime = strawberry.field(description="Until when, at most: posting again closes them as well.")
    is_open: bool = strawberry.field(description="Whether they are open by it now.")
    posted_again_at: datetime | None = strawberry.field(description="When grades were posted again; null: they were not.")
    changed_marks: int = strawberry.field(description="How many marks were made or changed since, until grades were posted again.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester.")
    reopened_by = to_one(users.user_by_id, "reopened_by", description="Who opened them.")


@strawberry.enum(description="What reopenings may be sorted by.")
class GradeReopeningOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When.")


@strawberry.input(description="Which reopenings.")
class GradeReopeningFilter:
    class_ids: list[strawberry.ID] | None = id_filter(classes.Class, "Class", description="Of one of these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(subjects.Subject, "Subject", description="In one of these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(academic_years.Semester, "Semester", description="In one of these semesters.")
    is_open: bool | None = optional("Whether marks are open by it now.")
    awaits_posting: bool | None = optional(
        "Whether it has ended, marks were changed, and the posted grades are still those of before: open them again and post them."
    )


GRADE_REOPENINGS = Listing(
    queries.grade_reopenings,
    grade_reopenings.GradeReopening,
    order_input("GradeReopening", GradeReopeningOrderField),
    GradeReopeningOrderField.CREATED_AT,
    GradeReopeningFilter,
    descending=True,
)


@strawberry.type
class GradeReopeningQueries:
    grade_reopenings = root_connection(
        GRADE_REOPENINGS, Capability.MANAGE_SCHOOL, description="When locked marks were opened again, by whom and why, latest first."
    )
