"""What a mutation answers when a rule is broken: no failure of the request, but what its user has to put right."""

from dataclasses import dataclass

__all__ = ["UserError"]


@dataclass(frozen=True, slots=True)
class UserError:
    """`field` is the input's field as GraphQL spells it, None for no one field; `code` is for programs, `message` for people."""

    field: str | None
    code: str
    message: str
