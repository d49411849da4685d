"""How users are listed."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.users import User
from schema.connections import Listing, optional, order_input

__all__ = ["USERS", "Role"]


@strawberry.enum(description="What a user may do. What they see follows from their links as well.")
class Role(Enum):
    ADMIN = strawberry.enum_value("ADMIN", description="Runs the school's records.")
    BURSAR = strawberry.enum_value("BURSAR", description="Keeps the school's accounts.")
    TEACHER = strawberry.enum_value("TEACHER", description="Teaches.")
    STUDENT = strawberry.enum_value("STUDENT", description="Is taught.")
    GUARDIAN = strawberry.enum_value("GUARDIAN", description="Answers for students.")


@strawberry.enum(description="What users may be sorted by.")
class UserOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Last name, then first name, as people expect it: no matter the case or accents.")
    CREATED_AT = strawberry.enum_value("created_at", description="When the record was made.")


@strawberry.input(description="Which users.")
class UserFilter:
    roles: list[Role] | None = optional("With one of these roles.")
    is_active: bool | None = optional("Whether they may sign in.")
    email: str | None = optional("With this e-mail address, no matter the case.")
    first_name_prefix: str | None = optional("The first name begins so, no matter the case.")
    last_name_prefix: str | None = optional("The last name begins so, no matter the case.")


USERS = Listing(queries.users, User, order_input("User", UserOrderField), UserOrderField.NAME, UserFilter)
