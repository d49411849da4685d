"""Fields that students, teachers, guardians and users share: names and contact details."""

from typing import Any

import strawberry

from execution.errors import Refusal

__all__ = ["NAME", "Contact", "forbidden_field", "full_name"]


# The columns of a full name.
NAME = ("first_name", "last_name")


def full_name(row: Any) -> str:
    return f"{row['first_name']} {row['last_name']}"


def forbidden_field() -> Exception:
    """Makes the error of a field that the viewer may not see on a visible object; its value is null."""
    return Refusal("FORBIDDEN", "You may not see this field of this object.")


@strawberry.type(description="A person's contact details.")
class Contact:
    email: str | None = strawberry.field(description="E-mail address, which is also the name for signing in.")
    phone: str | None = strawberry.field(description="Telephone number, as entered.")
    address: str | None = strawberry.field(description="Postal address, as entered.")
