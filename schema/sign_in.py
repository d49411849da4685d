"""Signing in and out, keeping a session alive, changing one's password."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST
from resolvers import sign_in
from resolvers.user_errors import UserError as Broken
from schema.roots import root
from schema.user_errors import UserError, errors_of

__all__ = ["HASHES", "Session", "SignInMutations"]

# Each looks at a password, which is slow on purpose: a request may do so a few times, not as often as it has room for fields.
HASHES = {COST: 10_000}
_ERRORS = "What has to be put right; empty when it was done."


@strawberry.type(description="What keeps you signed in. Both tokens are secrets: whoever has them is you.")
class Session:
    access_token: str = strawberry.field(description="Goes with each request, as `Authorization: Bearer …`. Good for 15 minutes.")
    access_token_expires_at: datetime = strawberry.field(description="When the access token expires: refresh the session before.")
    refresh_token: str = strawberry.field(
        description="Goes to `refreshSession`, once: that answers with the next one. One that comes back later than a minute ends the session."
    )
    session_expires_at: datetime = strawberry.field(description="When you have to sign in again, however often the session was refreshed.")


@strawberry.input(description="Who you are.")
class SignInInput:
    email: str = strawberry.field(description="The e-mail address of your account, no matter the case.")
    password: str = strawberry.field(description="Your password.")


@strawberry.type(description="A sign-in.")
class SignInPayload:
    session: Session | None = strawberry.field(description="Your session; null when you were not let in.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.input(description="Which session.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(description="The latest refresh token of the session.")


@strawberry.type(description="A refreshed session.")
class RefreshSessionPayload:
    session: Session = strawberry.field(description="The session with new tokens: keep both, and forget the old ones.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.input(description="What to sign out of.")
class SignOutInput:
    everywhere: bool = strawberry.field(default=False, description="All of your sessions, on every device; otherwise this one.")


@strawberry.type(description="A sign-out.")
class SignOutPayload:
    ended_sessions: int = strawberry.field(description="How many sessions ended; 0 when this one had ended already.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.input(description="Your old password and your new one.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="Your password until now.")
    new_password: str = strawberry.field(
        description="10 to 128 characters of any kind, not your e-mail address, not one that everybody tries."
    )


@strawberry.type(description="A changed password.")
class ChangePasswordPayload:
    changed: bool = strawberry.field(description="Whether the new password is yours now; your other sessions have ended then.")
    user_errors: list[UserError] = strawberry.field(description=_ERRORS)


@strawberry.type
class SignInMutations:
    @root(
        Capability.PUBLIC,
        mutation=True,
        metadata=HASHES,
        description="Signs you in. An unknown address, a wrong password and an inactive account get the same answer, WRONG_CREDENTIALS. "
        "Failed tries are slowed: RATE_LIMITED, with the seconds to wait in `retryAfter`.",
    )
    async def sign_in(self, info: Info, input: SignInInput) -> SignInPayload:
        answer: Any = await sign_in.sign_in(info.context, input.email, input.password)
        if isinstance(answer, Broken):
            return SignInPayload(session=None, user_errors=errors_of(answer))
        return SignInPayload(session=answer, user_errors=[])

    @root(
        Capability.PUBLIC,
        mutation=True,
        description="New tokens for your session. Send no Authorization header. UNAUTHENTICATED: the session has ended, sign in again. "
        "An answer that was lost may be asked for again within a minute.",
    )
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> RefreshSessionPayload:
        granted: Any = await sign_in.refresh_session(info.context, input.refresh_token)
        return RefreshSessionPayload(session=granted, user_errors=[])

    @root(
        Capability.OWN_ACCOUNT,
        mutation=True,
        description="Signs you out, here or everywhere: from the next request on your tokens are no good.",
    )
    async def sign_out(self, info: Info, input: SignOutInput | None = strawberry.UNSET) -> SignOutPayload:
        ended = await sign_in.sign_out(info.context, everywhere=bool(input and input.everywhere))
        return SignOutPayload(ended_sessions=ended, user_errors=[])

    @root(
        Capability.OWN_ACCOUNT,
        mutation=True,
        metadata=HASHES,
        description="Changes your password and ends your other sessions. Wrong tries are slowed like sign-ins.",
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload:
        error = await sign_in.change_password(info.context, input.current_password, input.new_password)
        return ChangePasswordPayload(changed=error is None, user_errors=errors_of(error))
