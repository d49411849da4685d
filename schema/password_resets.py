"""Password resets, to set a first password or replace a lost one."""

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from resolvers import password_resets, users
from resolvers.identifiers import read_id
from resolvers.user_errors import UserError as Broken
from schema.references import to_one
from schema.roots import mutation_fields, root
from schema.sign_in import HASHES, Session
from schema.user_errors import UserError, errors_of

__all__ = ["PasswordResetMutations"]


@strawberry.type(description="A password reset to hand to its user. Whoever has its token can take over the account, once.")
class PasswordReset:
    token: str = strawberry.field(description="The token for `resetPassword`. It is shown only here.")
    expires_at: datetime = strawberry.field(description="When it expires.")
    user = to_one(users.user_by_id, "user_id", description="The user whose password it resets.")


@strawberry.input(description="The user who may set a new password, and for how long.")
class IssuePasswordResetInput:
    user_id: strawberry.ID = strawberry.field(description="The user.")
    valid_hours: int = strawberry.field(
        default=password_resets.DEFAULT_HOURS, description=f"The validity in hours, 1 to {password_resets.MAX_HOURS}."
    )


@strawberry.type(description="An issued password reset.")
class IssuePasswordResetPayload:
    password_reset: PasswordReset | None = strawberry.field(description="The reset; null if none was issued.")
    user_errors: list[UserError] = strawberry.field(description="The rules that the input breaks; empty if the reset was issued.")


@strawberry.input(description="A password reset, and the password to set.")
class ResetPasswordInput:
    token: str = strawberry.field(description="The token issued by an administrator.")
    new_password: str = strawberry.field(
        description="10 to 128 characters of any kind; neither your e-mail address nor a commonly used password."
    )


@strawberry.type(description="The result of setting a new password.")
class ResetPasswordPayload:
    session: Session | None = strawberry.field(description="A new session; null if the password was not set.")
    user_errors: list[UserError] = strawberry.field(description="The rules that the input breaks; empty if the password was set.")


@mutation_fields
class PasswordResetMutations:
    @root(
        Capability.MANAGE_SCHOOL,
        mutation=True,
        description="Issues a one-time token with which a user can set a password. An earlier unused token becomes invalid.",
    )
    async def issue_password_reset(self, info: Info, input: IssuePasswordResetInput) -> IssuePasswordResetPayload:
        user_id = read_id(input.user_id, users.User.tag, users.User.type_name, "userId")
        answer = await password_resets.issue_password_reset(info.context, user_id, input.valid_hours)
        if isinstance(answer, Broken):
            return IssuePasswordResetPayload(password_reset=None, user_errors=errors_of(answer))
        return IssuePasswordResetPayload(password_reset=answer, user_errors=[])  # type: ignore[arg-type]  # it has the type's attributes

    @root(
        Capability.PUBLIC,
        mutation=True,
        metadata=HASHES,
        description="Sets a new password with a reset token, ends all sessions of the user and signs them in.",
    )
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> ResetPasswordPayload:
        answer: Any = await password_resets.reset_password(info.context, input.token, input.new_password)
        if isinstance(answer, Broken):
            return ResetPasswordPayload(session=None, user_errors=errors_of(answer))
        return ResetPasswordPayload(session=answer, user_errors=[])
