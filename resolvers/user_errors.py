"""User errors: broken rules that a mutation reports in its payload, for its user to correct."""

from dataclasses import dataclass

__all__ = ["UserError"]


@dataclass(frozen=True, slots=True)
class UserError:
    """A broken rule: `field` is the path of the input field as GraphQL spells it (None: no single field), `code` is for programs, `message` for people."""

    field: str | None
    code: str
    message: str
