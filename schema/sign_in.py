"""Signing in and out, refreshing a session, changing one's password."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST
from resolvers import sign_in
from resolvers.user_errors import UserError as Broken
from schema.roots import mutation_fields, root
from schema.user_errors import UserError, errors_of

__all__ = ["HASHES", "Session", "SignInMutations"]

# Each checks a password, which is slow on purpose: the cost keeps a request to a few of them.
HASHES = {COST: 10_000}
_ERRORS = "The rules that the input breaks; empty if the mutation was carried out."


@strawberry.type(description="A session. Both tokens are secrets: anyone who has them can act as you.")
class Session:
    access_token: str = strawberry.field(
        description="The token to send with each request as `Authorization: Bearer …`. It is valid for 15 minutes."
    )
    access_token_expires_at: datetime = strawberry.field(description="When the access token expires. Refresh the session before that.")
    refresh_token: str = strawberry.field(
        description="The token for `refreshSession`, which returns the next one. It can be used once; using it again after more"
        " than a minute ends the session."
    )
    session_expires_at: datetime = strawberry.field(
        description="When the session expires, regardless of refreshing. Sign in again after that."
    )


@strawberry.input(description="The credentials.")
class SignInInput:
    email: str = strawberry.field(description="The e-mail address of your account, ignoring case.")
    password: str = strawberry.field(description="Your password.")


@strawberry.type(description="A sign-in.")
class SignInPayload:
    session: Session | None = strawberry.field(description="Your session; null if the sign-in failed.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.input(description="The session.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(description="The latest refresh token of the session.")


@strawberry.type(description="A refreshed session.")
class RefreshSessionPayload:
    session: Session = strawberry.field(description="The session with new tokens, which replace the old ones.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.input(description="What to sign out of.")
class SignOutInput:
    everywhere: bool = strawberry.field(
        default=False, description="Whether to end all of your sessions on all devices, and not only this one."
    )


@strawberry.type(description="A sign-out.")
class SignOutPayload:
    ended_session_count: int = strawberry.field(description="The number of sessions that were ended; 0 if this one had already ended.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.input(description="Your old password and your new one.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="Your current password.")
    new_password: str = strawberry.field(
        description="10 to 128 characters of any kind; neither your e-mail address nor a commonly used password."
    )


@strawberry.type(description="A changed password.")
class ChangePasswordPayload:
    changed: bool = strawberry.field(description="Whether the password was changed. If so, your other sessions were ended.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@mutation_fields
class SignInMutations:
    @root(
        Capability.PUBLIC,
        mutation=True,
        metadata=HASHES,
        description="Signs you in. An unknown address, a wrong password and an inactive account all get the same error,"
        " WRONG_CREDENTIALS. Failed attempts are rate limited: RATE_LIMITED, with the seconds to wait in `retryAfter`.",
    )
    async def sign_in(self, info: Info, input: SignInInput) -> SignInPayload:
        answer: Any = await sign_in.sign_in(info.context, input.email, input.password)
        if isinstance(answer, Broken):
            return SignInPayload(session=None, user_errors=errors_of(answer))
        return SignInPayload(session=answer, user_errors=[])

    @root(
        Capability.PUBLIC,
        mutation=True,
        description="Returns new tokens for your session. Send no Authorization header. UNAUTHENTICATED means that the session has"
        " ended: sign in again. If the answer is lost, the request can be repeated within a minute.",
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> RefreshSessionPayload:
        granted: Any = await sign_in.refresh_session(info.context, input.refresh_token)
        return RefreshSessionPayload(session=granted, user_errors=[])

    @root(
        Capability.OWN_ACCOUNT,
        mutation=True,
        description="Signs you out, here or everywhere. The tokens are invalid from the next request on.",
    )
    async def sign_out(self, info: Info, input: SignOutInput | None = strawberry.UNSET) -> SignOutPayload:
        ended = await sign_in.sign_out(info.context, everywhere=bool(input and input.everywhere))
        return SignOutPayload(ended_session_count=ended, user_errors=[])

    @root(
        Capability.OWN_ACCOUNT,
        mutation=True,
        metadata=HASHES,
        description="Changes your password and ends your other sessions. Failed attempts are rate limited like sign-ins.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload:
        error = await sign_in.change_password(info.context, input.current_password, input.new_password)
        return ChangePasswordPayload(changed=error is None, user_errors=errors_of(error))
