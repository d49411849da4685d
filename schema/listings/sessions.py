"""Lists of sessions."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.sessions import UserSession
from schema.connections import Listing, optional, order_input

__all__ = ["SESSIONS"]


@strawberry.enum(description="The fields by which sessions can be sorted.")
class UserSessionOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it began.")


@strawberry.input(description="Conditions for sessions.")
class UserSessionFilter:
    is_open: bool | None = optional("Whether the session is active.")


SESSIONS = Listing(
    queries.sessions,
    UserSession,
    order_input("UserSession", UserSessionOrderField),
    UserSessionOrderField.CREATED_AT,
    UserSessionFilter,
    descending=True,
)
