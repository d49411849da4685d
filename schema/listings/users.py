"""Lists of users."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.users import User
from schema.connections import Listing, optional, order_input

__all__ = ["USERS", "Role"]


@strawberry.enum(description="The role of a user. What a user may see also depends on their classes, lessons and guardianships.")
class Role(Enum):
    ADMIN = strawberry.enum_value("ADMIN", description="Administers the school's records.")
    BURSAR = strawberry.enum_value("BURSAR", description="Keeps the school's accounts.")
    TEACHER = strawberry.enum_value("TEACHER", description="Teaches.")
    STUDENT = strawberry.enum_value("STUDENT", description="A student.")
    GUARDIAN = strawberry.enum_value("GUARDIAN", description="A guardian of students.")


@strawberry.enum(description="The fields by which users can be sorted.")
class UserOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Last name, then first name, ignoring case and accents.")
    CREATED_AT = strawberry.enum_value("created_at", description="When the record was created.")


@strawberry.input(description="Conditions for users.")
class UserFilter:
    roles: list[Role] | None = optional("With one of these roles.")
    is_active: bool | None = optional("Whether they may sign in.")
    email: str | None = optional("With this e-mail address, ignoring case.")
    first_name_prefix: str | None = optional("The first name begins with this text; case, accents and punctuation are ignored.")
    last_name_prefix: str | None = optional("The last name begins with this text; case, accents and punctuation are ignored.")


USERS = Listing(queries.users, User, order_input("User", UserOrderField), UserOrderField.NAME, UserFilter)
