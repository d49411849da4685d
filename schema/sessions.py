"""Sessions: where somebody is signed in, and ending that."""

from datetime import datetime
from enum import Enum

import strawberry

from auth.capabilities import Capability
from resolvers import sessions, users
from schema.inputs import MutationInput, node_id
from schema.mutations import mutation, payload_node, payload_value
from schema.nodes import Node, node
from schema.references import to_one

__all__ = ["SessionMutations", "UserSession"]


@strawberry.enum(description="Why a session ended before it expired.")
class SessionEnd(Enum):
    SIGNED_OUT = strawberry.enum_value("SIGNED_OUT", description="Its owner signed out.")
    TOKEN_REUSED = strawberry.enum_value("TOKEN_REUSED", description="A used refresh token came back: it may have been stolen.")
    PASSWORD_CHANGED = strawberry.enum_value("PASSWORD_CHANGED", description="The password was changed elsewhere.")
    DEACTIVATED = strawberry.enum_value("DEACTIVATED", description="The account was deactivated.")
    REVOKED = strawberry.enum_value("REVOKED", description="An administrator ended it.")


@node(sessions.UserSession, sessions.session_by_id)
@strawberry.type(description="A sign-in, on one device. Its tokens are shown to whoever signed in, and to nobody else.")
class UserSession(Node):
    created_at: datetime = strawberry.field(description="When it began.")
    last_used_at: datetime = strawberry.field(description="When it began or was refreshed last.")
    expires_at: datetime = strawberry.field(description="When it ends, unless it is ended before.")
    ended_at: datetime | None = strawberry.field(description="When it was ended; null: it was not.")
    ended_because: SessionEnd | None = strawberry.field(description="Why it was ended; null: it was not.")
    address: str | None = strawberry.field(description="The address that the sign-in came from.")
    user_agent: str | None = strawberry.field(description="What the program that signed in called itself.")
    user = to_one(users.user_by_id, "user_id", description="Whose it is.")


@strawberry.input(description="Which session.")
class EndSessionInput(MutationInput):
    id: strawberry.ID = node_id(sessions.UserSession, "The session: one of yours, or anybody's for an administrator.")


@strawberry.input(description="Whose sessions.")
class EndSessionsInput(MutationInput):
    user_id: strawberry.ID = node_id(users.User, "The user.")


@strawberry.type
class SessionMutations:
    end_session = mutation(
        Capability.OWN_ACCOUNT,
        EndSessionInput,
        sessions.end_session,
        revokes_access=True,
        description="Ends one session, from the next request on. One that has ended already stays as it was.",
        session=payload_node(sessions.session_by_id, "The session as it is now."),
    )
    end_sessions = mutation(
        Capability.MANAGE_SCHOOL,
        EndSessionsInput,
        sessions.end_sessions,
        revokes_access=True,
        description="Ends all sessions of a user, from the next request on: a phone was lost, say. Of your own, the one you are in goes on.",
        user=payload_node(users.user_by_id, "The user."),
        ended_sessions=payload_value(int, "How many sessions ended.", default=0),
    )
