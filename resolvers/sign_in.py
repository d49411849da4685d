"""Signing in and out, refreshing a session, changing one's password."""

from typing import Any
from uuid import UUID

import structlog

from auth.authenticator import Authenticator
from auth.passwords import password_problem
from auth.sessions import KNOWN_NETWORK_FOR, Granted, RefreshTokenReused
from auth.sign_in_gate import KNOWN, PROVED, UNKNOWN, UNTROUBLED, Superseded
from auth.viewer import Viewer
from db.row_locks import RowLockedError, retry_while_locked
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.context import Context
from resolvers.user_errors import UserError
from rules.text import normal_text, text_problem

__all__ = ["authenticator_of", "change_password", "chosen_password_error", "lock_account", "refresh_session", "sign_in", "sign_out"]

_log = structlog.get_logger("rollcall.sign_in")

# RFC 5321, 4.5.3.1: 64 before the @ and 255 after it. No account has a longer address.
_LONGEST_EMAIL = 320
# Looked up and throttled in place of any text that cannot be an account's address.
_NOBODYS = ""
# The same error for an unknown address, a wrong password, an account without a password and an inactive account.
_WRONG = UserError(None, "WRONG_CREDENTIALS", "The e-mail address or the password is wrong.")


def authenticator_of(context: Context) -> Authenticator:
    """Returns the process's authenticator from `context.services`."""
    found: Authenticator = context.services.authenticator
    return found


def chosen_password_error(password: str, email: str | None) -> UserError | None:
    """Returns why a new password is refused, or None."""
    problem = password_problem(password, email)
    return None if problem is None else UserError("newPassword", *problem)


async def sign_in(context: Context, email: str, password: str) -> Granted | UserError:
    """Opens a session, or returns the same error for whatever was wrong. Raises RATE_LIMITED while the account or network is slowed."""
    auth = authenticator_of(context)
    async with auth.gate.paced():
        async with auth.gate.lookup(context.client):
            known = await auth.sign_in_share.fetchrow(
                *queries.account_by_email.bind(
                    email=_address(email),
                    network=context.client.network,
                    known_since=auth.clock.now() - KNOWN_NETWORK_FOR,
                )
            )
            user_id, network_is_known = known["id"], known["network_is_known"]
            limits = auth.throttle.sign_in(known["sought"], user_id, context.client, network_is_known=network_is_known)
            # Blocked requests are refused before they take a place in the queue.
            account, *_ = await auth.throttle.check(limits)
        lane = UNKNOWN if not network_is_known else KNOWN if account.failures else UNTROUBLED

        async def enter(verified_hash: str) -> Granted | Superseded | None:
            return await _enter(context, user_id, verified_hash, password) if known["is_active"] else None

        granted = await auth.gate.verify(limits, context.client, known["password_hash"], password, enter, lane=lane)
    if granted is None:
        _log.info("sign-in refused", user_id=str(user_id) if user_id else None, address=str(context.client.address))
        return _WRONG
    return granted


async def refresh_session(context: Context, refresh_token: str) -> Granted:
    """Exchanges a refresh token for new tokens. Raises UNAUTHENTICATED if it is not valid (any more)."""
    auth = authenticator_of(context)
    try:
        return await auth.sessions.refresh(auth.token_share, refresh_token)
    except RefreshTokenReused:
        await auth.wait_until_propagated()
        raise


async def sign_out(context: Context, *, everywhere: bool) -> int:
    """Ends the viewer's session, or all of their sessions. Returns how many were ended."""
    auth = authenticator_of(context)
    viewer = context.viewer
    user_id, session_id = _session_of(viewer)
    async with context.database.transaction(user_id=user_id, request_id=context.request_id) as connection:
        if everywhere:
            ended = await auth.sessions.end_all(connection, user_id, "SIGNED_OUT")
        else:
            ended = await auth.sessions.end(connection, session_id)
    await auth.wait_until_propagated()
    return ended


async def change_password(context: Context, current_password: str, new_password: str) -> UserError | None:
    """Changes the viewer's password, ends their other sessions and withdraws password resets. Raises RATE_LIMITED while it is slowed."""
    auth = authenticator_of(context)
    viewer = context.viewer
    user_id, session_id = _session_of(viewer)
    account = await context.database.fetchrow(*queries.account_by_id.bind(user_id=user_id))
    limits = auth.throttle.change_password(user_id)

    async def proved(_: str) -> bool:
        return True

    async with auth.gate.paced():
        if not await auth.gate.verify(limits, context.client, account["password_hash"], current_password, proved, lane=PROVED):
            return UserError("currentPassword", "WRONG_PASSWORD", "The current password is wrong.")
        error = chosen_password_error(new_password, account["email"])
        if error is None and await auth.gate.verify_again(user_id, context.client, account["password_hash"], new_password):
            error = UserError("newPassword", "PASSWORD_UNCHANGED", "The new password must differ from the current one.")
        if error is not None:
            return error
        password_hash = await auth.gate.hash(user_id, context.client, new_password)

    async def change() -> UserError | None:
        async with context.database.transaction(user_id=user_id, request_id=context.request_id) as connection:
            await auth.recheck(connection, viewer)
            values: dict[str, Any] = {"user_id": user_id, "now": auth.clock.now()}
            await lock_account(connection, user_id)
            role = await connection.fetchval(
                *queries.set_password.bind(password_hash=password_hash, replaced_hash=account["password_hash"], **values)
            )
            if role is None:
                return UserError(
                    None,
                    "PASSWORD_CHANGED_MEANWHILE",
                    "Your password was changed by another request at the same time, so this change was not made.",
                )
            await auth.sessions.end_all(connection, user_id, "PASSWORD_CHANGED", kept=session_id)
            await connection.execute(*queries.withdraw_password_resets.bind(**values))
            return None

    error = await retry_while_locked(change)
    if error is None:
        await auth.wait_until_propagated()
    return error


async def lock_account(connection: Any, user_id: UUID) -> str | None:
    """Locks an account until the transaction ends and returns its password's hash. Raises RowLockedError if another transaction holds it."""
    row = await connection.fetchrow(*queries.lock_password.bind(user_id=user_id))
    if row is None:
        raise RowLockedError("the account is being changed")
    found: str | None = row["password_hash"]
    return found


async def _enter(context: Context, user_id: UUID, verified_hash: str, password: str) -> Granted | Superseded | None:
    """Opens a session for a verified password. Returns Superseded if the account's hash has changed, None if it may no longer sign in."""
    auth = authenticator_of(context)
    renewed = await auth.passwords.hash(password) if auth.passwords.is_outdated(verified_hash) else None

    async def enter() -> Granted | Superseded | None:
        async with auth.sign_in_share.transaction(user_id=user_id, request_id=context.request_id) as connection:
            kept_hash = await lock_account(connection, user_id)
            if kept_hash != verified_hash:
                return Superseded(kept_hash)
            role = await connection.fetchval(
                *queries.enter_account.bind(
                    user_id=user_id,
                    verified_hash=verified_hash,
                    renewed_hash=renewed,
                    now=auth.clock.now(),
                )
            )
            return None if role is None else await auth.sessions.open(connection, user_id, role, context.client)

    return await retry_while_locked(enter)


def _session_of(viewer: Viewer) -> tuple[UUID, UUID]:
    if viewer.user_id is None or viewer.session_id is None:
        raise Refusal("UNAUTHENTICATED", "Sign in first: send an access token as `Authorization: Bearer …`.")
    return viewer.user_id, viewer.session_id


def _address(text: str) -> str:
    if len(text) > _LONGEST_EMAIL:
        return _NOBODYS
    text = normal_text(text)
    return text if text_problem(text) is None else _NOBODYS
