"""What all people have: a name as it is written, contact details."""

from typing import Any

import strawberry

from execution.errors import Refusal

__all__ = ["NAME", "Contact", "forbidden_field", "full_name"]


# The columns that a name is made of.
NAME = ("first_name", "last_name")


def full_name(row: Any) -> str:
    return f"{row['first_name']} {row['last_name']}"


def forbidden_field() -> Exception:
    """What a field out of reach on a visible row answers with, beside null."""
    return Refusal("FORBIDDEN", "You may not see this field of this object.")


@strawberry.type(description="How a person can be reached.")
class Contact:
    email: str | None = strawberry.field(description="E-mail address; also the name they sign in with.")
    phone: str | None = strawberry.field(description="Telephone number, as it was given.")
    address: str | None = strawberry.field(description="Postal address, as it was given.")
