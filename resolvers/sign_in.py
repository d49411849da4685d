"""Signing in and out, keeping a session alive, changing one's password."""

from typing import Any
from uuid import UUID

import structlog

from auth.authenticator import Authenticator
from auth.passwords import password_problem
from auth.sessions import KNOWN_NETWORK_FOR, Granted, RefreshTokenReused
from auth.statements import bound
from auth.throttle import Attempt
from auth.viewer import Viewer
from db.queries import queries
from execution.errors import Refusal
from resolvers.context import Context
from resolvers.user_errors import UserError

__all__ = ["authenticator_of", "change_password", "chosen_password_error", "refresh_session", "sign_in", "sign_out"]

_log = structlog.get_logger("rollcall.sign_in")

# The same for an unknown address, a wrong password, an account without one and an inactive account.
_WRONG = UserError(None, "WRONG_CREDENTIALS", "The e-mail address or the password is wrong.")


def authenticator_of(context: Context) -> Authenticator:
    """The process's authenticator: `context.services` has it."""
    found: Authenticator = context.services.authenticator
    return found


def chosen_password_error(password: str, email: str | None) -> UserError | None:
    """Why a new password is refused."""
    problem = password_problem(password, email)
    return None if problem is None else UserError("newPassword", *problem)


async def sign_in(context: Context, email: str, password: str) -> Granted | UserError:
    """A new session, or the one error for everything that was wrong. Raises RATE_LIMITED while account or network are slowed."""
    auth = authenticator_of(context)
    now = auth.clock.now()
    # PostgreSQL's text has no NUL: such an address belongs to nobody, and is not looked up as it is.
    known = await context.database.fetchrow(
        *bound(
            queries.account_by_email,
            email=_storable(email),
            network=context.client.network,
            known_since=now - KNOWN_NETWORK_FOR,
        )
    )
    attempt = await auth.throttle.sign_in(
        email, known and known["id"], context.client, network_is_known=bool(known and known["network_is_known"])
    )
    password_hash = known["password_hash"] if known else None
    granted = None
    verified = await _verified(auth, attempt, password_hash, password)
    if verified and known is not None and password_hash is not None and known["is_active"]:
        granted = await _enter(context, known["id"], password_hash, password)
    if granted is None:
        _log.info("sign-in refused", user_id=str(known["id"]) if known else None, address=str(context.client.address))
        return _WRONG
    await auth.throttle.succeeded(attempt)
    return granted


async def refresh_session(context: Context, refresh_token: str) -> Granted:
    """New tokens for a refresh token. Raises UNAUTHENTICATED when it is not good (any more)."""
    auth = authenticator_of(context)
    try:
        return await auth.sessions.refresh(context.database, refresh_token)
    except RefreshTokenReused:
        await auth.settle()
        raise


async def sign_out(context: Context, *, everywhere: bool) -> int:
    """Ends the viewer's session, or all of their sessions; how many there were."""
    auth = authenticator_of(context)
    viewer = context.viewer
    user_id, session_id = _session_of(viewer)
    async with context.database.transaction(user_id=user_id, request_id=context.request_id) as connection:
        if everywhere:
            ended = await auth.sessions.end_all(connection, user_id, "SIGNED_OUT")
        else:
            ended = await auth.sessions.end(connection, session_id)
    await auth.settle()
    return ended


async def change_password(context: Context, current_password: str, new_password: str) -> UserError | None:
    """Sets the viewer's password, ends their other sessions and withdraws password resets. Raises RATE_LIMITED while it is slowed."""
    auth = authenticator_of(context)
    viewer = context.viewer
    user_id, session_id = _session_of(viewer)
    attempt = await auth.throttle.change_password(user_id)
    account = await context.database.fetchrow(*bound(queries.account_by_id, user_id=user_id))
    if not await _verified(auth, attempt, account["password_hash"], current_password):
        return UserError("currentPassword", "WRONG_PASSWORD", "This is not your password.")
    await auth.throttle.succeeded(attempt)
    error = chosen_password_error(new_password, account["email"])
    if error is None and await auth.passwords.verify(account["password_hash"], new_password):
        error = UserError("newPassword", "PASSWORD_UNCHANGED", "This is your password already.")
    if error is not None:
        return error
    password_hash = await auth.passwords.hash(new_password)
    async with context.database.transaction(user_id=user_id, request_id=context.request_id) as connection:
        await auth.confirm(connection, viewer)
        values: dict[str, Any] = {"user_id": user_id, "now": auth.clock.now()}
        role = await connection.fetchval(
            *bound(queries.set_password, password_hash=password_hash, replaced_hash=account["password_hash"], **values)
        )
        if role is None:
            return UserError(None, "PASSWORD_CHANGED_MEANWHILE", "The password was changed elsewhere in this moment.")
        await auth.sessions.end_all(connection, user_id, "PASSWORD_CHANGED", kept=session_id)
        await connection.execute(*bound(queries.withdraw_password_resets, **values))
    await auth.settle()
    return None


async def _enter(context: Context, user_id: UUID, verified_hash: str, password: str) -> Granted | None:
    """Opens a session for a verified password; None when password or account changed while it was verified."""
    auth = authenticator_of(context)
    renewed = await auth.passwords.hash(password) if auth.passwords.is_outdated(verified_hash) else None
    async with context.database.transaction(user_id=user_id, request_id=context.request_id) as connection:
        role = await connection.fetchval(
            *bound(
                queries.enter_account,
                user_id=user_id,
                verified_hash=verified_hash,
                renewed_hash=renewed,
                now=auth.clock.now(),
            )
        )
        return None if role is None else await auth.sessions.open(connection, user_id, role, context.client)


async def _verified(auth: Authenticator, attempt: Attempt, password_hash: str | None, password: str) -> bool:
    try:
        return await auth.passwords.verify(password_hash, password)
    except Refusal:
        # There was no room to look at it, so it was no guess.
        await auth.throttle.cancelled(attempt)
        raise


def _session_of(viewer: Viewer) -> tuple[UUID, UUID]:
    if viewer.user_id is None or viewer.session_id is None:
        raise Refusal("UNAUTHENTICATED", "Sign in first: send an access token as `Authorization: Bearer …`.")
    return viewer.user_id, viewer.session_id


def _storable(text: str) -> str:
    text = text.strip()
    return text if text.isprintable() else ""
