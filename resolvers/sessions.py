"""Sessions, looked at and ended: one's own by oneself, anybody's by an administrator."""

from auth.capabilities import Capability
from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key
from resolvers.mutations import Objects, Values, Write, rejected
from resolvers.sign_in import authenticator_of

__all__ = ["UserSession", "end_session", "end_sessions", "session_by_id"]


class UserSession(Row):
    __slots__ = ()
    type_name = "UserSession"
    tag = "ses"


session_by_id = by_key(queries.sessions, UserSession)


async def end_session(write: Write, given: Values) -> Objects:
    """Ends a session that the writer sees. One that has ended already stays as it was."""
    found = await write.visible_row(queries.session_to_end, session_id=given["id"])
    if found is None:
        raise rejected("id", "NOT_FOUND", "There is no such session.")
    because = "SIGNED_OUT" if found["user_id"] == write.user_id else "REVOKED"
    await authenticator_of(write.context).sessions.end(write.connection, found["id"], because)
    return {"session": found["id"]}


async def end_sessions(write: Write, given: Values) -> Objects:
    """Ends all sessions of a user; of one's own, the one that asks goes on. Administrators do."""
    assert write.has_capability(Capability.MANAGE_SCHOOL)
    user_id = given["user_id"]
    if await write.row(queries.account_by_id, user_id=user_id) is None:
        raise rejected("userId", "NOT_FOUND", "There is no such user.")
    own = user_id == write.user_id
    ended = await authenticator_of(write.context).sessions.end_all(
        write.connection, user_id, "SIGNED_OUT" if own else "REVOKED", kept=write.context.viewer.session_id if own else None
    )
    return {"user": user_id, "ended_sessions": ended}
