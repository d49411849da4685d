"""Lists of teachers."""

from datetime import date
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.subjects import Subject
from resolvers.teachers import Teacher
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["TEACHERS"]


@strawberry.enum(description="The fields by which teachers can be sorted.")
class TeacherOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Last name, then first name, ignoring case and accents.")
    JOINING_DATE = strawberry.enum_value("joining_date", description="The date on which they joined the school.")


@strawberry.input(description="Conditions for teachers.")
class TeacherFilter:
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="Able to teach one of these subjects.")
    specializations: list[str] | None = optional("With one of these specializations.")
    is_active: bool | None = optional("Whether they are active.")
    joined_from: date | None = optional("Joined on or after this date.")
    joined_to: date | None = optional("Joined on or before this date.")
    name_prefix: str | None = optional("The last name begins with this text; case, accents and punctuation are ignored.")


TEACHERS = Listing(
    queries.teachers,
    Teacher,
    order_input("Teacher", TeacherOrderField),
    TeacherOrderField.NAME,
    TeacherFilter,
)
