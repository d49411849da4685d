"""Sessions, listed and ended: users end their own, administrators anybody's."""

from auth.capabilities import Capability
from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected
from resolvers.sign_in import authenticator_of

__all__ = ["UserSession", "end_session", "end_sessions", "session_by_id"]


class UserSession(Row):
    __slots__ = ()
    type_name = "UserSession"
    tag = "ses"


session_by_id = by_key(queries.sessions, UserSession)


async def end_session(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Ends a session that the user may see; one that has already ended stays unchanged."""
    found = await tx.visible_row(queries.session_to_end, session_id=given["id"])
    if found is None:
        raise rejected("id", "NOT_FOUND", "There is no such session.")
    because = "SIGNED_OUT" if found["user_id"] == tx.user_id else "REVOKED"
    await authenticator_of(tx.context).sessions.end(tx.connection, found["id"], because)
    return {"session": found["id"]}


async def end_sessions(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Ends all sessions of a user, except the current one if the user is the caller. For administrators."""
    assert tx.has_capability(Capability.MANAGE_SCHOOL)
    user_id = given["user_id"]
    if await tx.row(queries.account_by_id, user_id=user_id) is None:
        raise rejected("userId", "NOT_FOUND", "There is no such user.")
    own = user_id == tx.user_id
    ended = await authenticator_of(tx.context).sessions.end_all(
        tx.connection, user_id, "SIGNED_OUT" if own else "REVOKED", kept=tx.context.viewer.session_id if own else None
    )
    return {"user": user_id, "ended_session_count": ended}
