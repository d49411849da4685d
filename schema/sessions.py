"""Sessions of users, and ending them."""

from datetime import datetime
from enum import Enum

import strawberry

from auth.capabilities import Capability
from resolvers import sessions, users
from schema.inputs import MutationInput, node_id
from schema.mutations import mutation, payload_node, payload_value
from schema.nodes import Node, node
from schema.references import to_one
from schema.roots import mutation_fields

__all__ = ["SessionMutations", "UserSession"]


@strawberry.enum(description="Why a session ended before it expired.")
class SessionEndReason(Enum):
    SIGNED_OUT = strawberry.enum_value("SIGNED_OUT", description="The user signed out.")
    TOKEN_REUSED = strawberry.enum_value("TOKEN_REUSED", description="A used refresh token was used again, so it may have been stolen.")
    PASSWORD_CHANGED = strawberry.enum_value("PASSWORD_CHANGED", description="The password was changed in another session.")
    DEACTIVATED = strawberry.enum_value("DEACTIVATED", description="The account was deactivated.")
    REVOKED = strawberry.enum_value("REVOKED", description="An administrator ended it.")


@node(sessions.UserSession, sessions.session_by_id)
@strawberry.type(description="A sign-in on one device. Its tokens are never shown here.")
class UserSession(Node):
    created_at: datetime = strawberry.field(description="When it began.")
    last_used_at: datetime = strawberry.field(description="When it began or was last refreshed.")
    expires_at: datetime = strawberry.field(description="When it expires.")
    ended_at: datetime | None = strawberry.field(description="When it was ended; null if it was not.")
    end_reason: SessionEndReason | None = strawberry.field(description="Why it was ended; null if it was not.")
    address: str | None = strawberry.field(description="The IP address of the sign-in.")
    user_agent: str | None = strawberry.field(description="The user agent of the sign-in.")
    user = to_one(users.user_by_id, "user_id", description="The user.")


@strawberry.input(description="The session.")
class EndSessionInput(MutationInput):
    id: strawberry.ID = node_id(sessions.UserSession, "The session: one of your own, or any session for an administrator.")


@strawberry.input(description="The user whose sessions to end.")
class EndSessionsInput(MutationInput):
    user_id: strawberry.ID = node_id(users.User, "The user.")


@mutation_fields
class SessionMutations:
    end_session = mutation(
        Capability.OWN_ACCOUNT,
        EndSessionInput,
        sessions.end_session,
        revokes_access=True,
        description="Ends a session, from the next request on. A session that has already ended stays unchanged.",
        session=payload_node(sessions.session_by_id, "The session as it is now."),
    )
    end_sessions = mutation(
        Capability.MANAGE_SCHOOL,
        EndSessionsInput,
        sessions.end_sessions,
        revokes_access=True,
        description="Ends all sessions of a user from the next request on, for instance after a phone was lost. Your current"
        " session is not ended.",
        user=payload_node(users.user_by_id, "The user."),
        ended_session_count=payload_value(int, "The number of sessions that were ended.", default=0),
    )
