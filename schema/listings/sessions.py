"""How sessions are listed."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.sessions import UserSession
from schema.connections import Listing, optional, order_input

__all__ = ["SESSIONS"]


@strawberry.enum(description="What sessions may be sorted by.")
class UserSessionOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it began.")


@strawberry.input(description="Which sessions.")
class UserSessionFilter:
    is_open: bool | None = optional("Whether the session goes on.")


SESSIONS = Listing(
    queries.sessions,
    UserSession,
    order_input("UserSession", UserSessionOrderField),
    UserSessionOrderField.CREATED_AT,
    UserSessionFilter,
    descending=True,
)
