"""What a mutation answers when a rule is broken."""

import strawberry

__all__ = ["UserError", "errors_of"]


@strawberry.type(description="A rule that the input breaks: nothing was changed, and the user can put it right.")
class UserError:
    field: str | None = strawberry.field(description="The input's field that is at fault; null when it is no single field's.")
    code: str = strawberry.field(description="Which rule, for programs.")
    message: str = strawberry.field(description="What is wrong, for people.")


def errors_of(answer: object) -> list[UserError]:
    """The user errors of a payload: none, or the one that a resolver answered with."""
    return [] if answer is None else [answer]  # type: ignore[list-item]  # a resolver's error has the type's attributes
