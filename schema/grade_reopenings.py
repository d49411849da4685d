"""Reopenings of locked grades, for administrators."""

from datetime import datetime
from enum import Enum

import strawberry

from auth.capabilities import Capability
from db.sql_catalog import queries
from resolvers import academic_years, classes, grade_reopenings, subjects, users
from schema.connections import Listing, id_filter, optional, order_input, root_connection
from schema.nodes import Node, node
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["GradeReopening", "GradeReopeningQueries"]


@node(grade_reopenings.GradeReopening, grade_reopenings.grade_reopening_by_id)
@strawberry.type(description="A reopening of the locked grades of a class in a subject and semester, for a limited time.")
class GradeReopening(Node):
    after_number: int = strawberry.field(
        description="The number of the posting that it follows; 0 if grades had not been posted when the posting window closed."
    )
    reason: str = strawberry.field(description="Why.")
    created_at: datetime = strawberry.field(description="When.")
    open_until: datetime = strawberry.field(description="When it ends at the latest; posting grades again ends it earlier.")
    is_open: bool = strawberry.field(description="Whether the grades are open because of it now.")
    posted_again_at: datetime | None = strawberry.field(description="When the grades were posted again; null if they were not.")
    changed_grade_count: int = strawberry.field(
        description="The number of grades created or changed since then, until they were posted again."
    )
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester.")
    reopened_by = to_one(users.user_by_id, "reopened_by", description="Who reopened the grades.")


@strawberry.enum(description="The fields by which reopenings can be sorted.")
class GradeReopeningOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When.")


@strawberry.input(description="Conditions for reopenings.")
class GradeReopeningFilter:
    class_ids: list[strawberry.ID] | None = id_filter(classes.Class, "Class", description="Of one of these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(subjects.Subject, "Subject", description="In one of these subjects.")
    semester_ids: list[strawberry.ID] | None = id_filter(academic_years.Semester, "Semester", description="In one of these semesters.")
    is_open: bool | None = optional("Whether grades are open because of it now.")
    awaits_posting: bool | None = optional(
        "Whether it has ended with changed grades that were not posted again. They should be reopened and posted."
    )


GRADE_REOPENINGS = Listing(
    queries.grade_reopenings,
    grade_reopenings.GradeReopening,
    order_input("GradeReopening", GradeReopeningOrderField),
    GradeReopeningOrderField.CREATED_AT,
    GradeReopeningFilter,
    descending=True,
)


@query_fields
class GradeReopeningQueries:
    grade_reopenings = root_connection(
        GRADE_REOPENINGS, Capability.MANAGE_SCHOOL, description="The reopenings of locked grades, latest first."
    )
