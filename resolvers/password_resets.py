"""Password resets: an administrator issues one, and its owner uses it once, to set a first password or to replace a lost one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from auth.opaque_tokens import TokenType, generate_token, hash_token, is_well_formed
from auth.sessions import Granted
from db.row_locks import retry_while_locked
from db.sql_catalog import queries
from resolvers.context import Context
from resolvers.sign_in import authenticator_of, chosen_password_error, lock_account
from resolvers.user_errors import UserError

__all__ = ["DEFAULT_HOURS", "MAX_HOURS", "IssuedReset", "issue_password_reset", "reset_password"]

DEFAULT_HOURS = 24
MAX_HOURS = 168
_NOT_VALID = UserError(
    "token",
    "RESET_NOT_VALID",
    "This password reset was already used, has expired, or was replaced by a newer one. Ask an administrator for a new one.",
)


@dataclass(frozen=True, slots=True)
class IssuedReset:
    """An issued reset. The token is shown only here: the database stores its hash."""

    token: str
    expires_at: datetime
    user_id: UUID


async def issue_password_reset(context: Context, user_id: UUID, valid_hours: int = DEFAULT_HOURS) -> IssuedReset | UserError:
    """Issues a one-time token for a user's password, valid for 1 to 168 hours; earlier ones are withdrawn. The caller is an administrator."""
    if not 1 <= valid_hours <= MAX_HOURS:
        return UserError("validHours", "OUT_OF_RANGE", f"A password reset must be valid for 1 to {MAX_HOURS} hours.")
    auth = authenticator_of(context)
    now = auth.clock.now()
    token = generate_token(TokenType.PASSWORD_RESET)
    expires_at = now + timedelta(hours=valid_hours)
    async with context.database.transaction(user_id=context.viewer.user_id, request_id=context.request_id) as connection:
        await auth.recheck(connection, context.viewer)
        account = await connection.fetchrow(*queries.account_by_id.bind(user_id=user_id))
        if account is None:
            return UserError("userId", "NOT_FOUND", "There is no such user.")
        if not account["is_active"]:
            return UserError("userId", "USER_NOT_ACTIVE", "The user's account is deactivated. Reactivate it first.")
        if account["email"] is None:
            return UserError("userId", "USER_WITHOUT_EMAIL", "The user has no e-mail address to sign in with. Add one first.")
        await connection.execute(*queries.withdraw_password_resets.bind(user_id=user_id, now=now))
        await connection.execute(
            *queries.add_password_reset.bind(
                user_id=user_id,
                token_hash=hash_token(token),
                created_by=context.viewer.user_id,
                now=now,
                expires_at=expires_at,
            )
        )
    return IssuedReset(token, expires_at, user_id)


async def reset_password(context: Context, token: str, new_password: str) -> Granted | UserError:
    """Sets the password with a reset token, ends all sessions of the user and signs them in with a new one."""
    if not is_well_formed(TokenType.PASSWORD_RESET, token):
        return _NOT_VALID
    auth = authenticator_of(context)
    reset: dict[str, Any] = {"token_hash": hash_token(token), "now": auth.clock.now()}
    # Checked before the password is hashed: a request without a valid token must not cost a hash.
    account = await auth.token_share.fetchrow(*queries.account_of_password_reset.bind(**reset))
    if account is None:
        return _NOT_VALID
    error = chosen_password_error(new_password, account["email"])
    if error is not None:
        return error
    user_id = account["id"]
    async with auth.gate.paced():
        password_hash = await auth.gate.hash(user_id, context.client, new_password)

    async def use() -> Granted | UserError:
        async with auth.token_share.transaction(user_id=user_id, request_id=context.request_id) as connection:
            # The account first, in the same order as every password change, so that there is no deadlock.
            replaced_hash = await lock_account(connection, user_id)
            if await connection.fetchval(*queries.use_password_reset.bind(**reset)) is None:
                return _NOT_VALID
            role = await connection.fetchval(
                *queries.set_password.bind(
                    user_id=user_id,
                    password_hash=password_hash,
                    replaced_hash=replaced_hash,
                    now=reset["now"],
                )
            )
            if role is None:
                return _NOT_VALID
            await auth.sessions.end_all(connection, user_id, "PASSWORD_CHANGED")
            await connection.execute(*queries.withdraw_password_resets.bind(user_id=user_id, now=reset["now"]))
            return await auth.sessions.open(connection, user_id, role, context.client)

    answer = await retry_while_locked(use)
    if isinstance(answer, Granted):
        await auth.wait_until_propagated()
    return answer
