"""How teachers are listed."""

from datetime import date
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.subjects import Subject
from resolvers.teachers import Teacher
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["TEACHERS"]


@strawberry.enum(description="What teachers may be sorted by.")
class TeacherOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Last name, then first name, as people expect it: no matter the case or accents.")
    JOINING_DATE = strawberry.enum_value("joining_date", description="The day they joined the school.")


@strawberry.input(description="Which teachers.")
class TeacherFilter:
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="Who can teach one of these subjects.")
    specializations: list[str] | None = optional("Specialised in one of these.")
    is_active: bool | None = optional("Whether they are active.")
    joined_from: date | None = optional("Joined on this day or later.")
    joined_to: date | None = optional("Joined on this day or earlier.")
    name_prefix: str | None = optional("The last name begins so, no matter the case or accents.")


TEACHERS = Listing(
    queries.teachers,
    Teacher,
    order_input("Teacher", TeacherOrderField),
    TeacherOrderField.NAME,
    TeacherFilter,
)
