"""User errors in the payloads of mutations."""

import strawberry

__all__ = ["UserError", "errors_of"]


@strawberry.type(description="A rule that the input breaks. Nothing was changed; correct the input and try again.")
class UserError:
    field: str | None = strawberry.field(description="The path of the input field with the error; null if it concerns no single field.")
    code: str = strawberry.field(description="The error code, for programs.")
    message: str = strawberry.field(description="The message, for people.")


def errors_of(answer: object) -> list[UserError]:
    """Returns the user errors of a payload: the one that a resolver returned, or none."""
    return [] if answer is None else [answer]  # type: ignore[list-item]  # a resolver's error has the type's attributes
