"""Lists of guardians and guardianships."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.guardians import Guardian, Guardianship
from resolvers.students import Student
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["GUARDIANS", "GUARDIANSHIPS"]


@strawberry.enum(description="The fields by which guardians can be sorted.")
class GuardianOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Last name, then first name, ignoring case and accents.")


@strawberry.input(description="Conditions for guardians.")
class GuardianFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Guardians of one of these students.")
    is_active: bool | None = optional("Whether they are active.")
    name_prefix: str | None = optional("The last name begins with this text; case, accents and punctuation are ignored.")


GUARDIANS = Listing(
    queries.guardians,
    Guardian,
    order_input("Guardian", GuardianOrderField),
    GuardianOrderField.NAME,
    GuardianFilter,
)


@strawberry.enum(description="The fields by which guardianships can be sorted.")
class GuardianshipOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it was recorded.")


GUARDIANSHIPS = Listing(
    queries.guardianships,
    Guardianship,
    order_input("Guardianship", GuardianshipOrderField),
    GuardianshipOrderField.CREATED_AT,
)
