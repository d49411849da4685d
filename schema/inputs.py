"""Input types of mutations: their common fields, and reading them into plain values."""

from dataclasses import fields
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from strawberry.utils.str_converters import to_camel_case

from db.rows import Row
from execution.errors import Refusal
from resolvers.identifiers import read_id
from resolvers.mutations import Values
from resolvers.user_errors import UserError
from rules.text import normal_text, text_problem

__all__ = [
    "MAX_LIST",
    "MULTILINE",
    "CreateInput",
    "IdempotentInput",
    "MutationInput",
    "UpdateInput",
    "node_id",
    "node_ids",
    "optional",
    "read_input",
    "required",
]

# The most items that a list in an input may have.
MAX_LIST = 500
# Metadata of an input field: whether its text may have line breaks.
MULTILINE = "multiline"
# PostgreSQL stores times before year 1 and after year 9999, but Python cannot read them. The margin of a day covers every time zone.
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1), datetime.max.replace(tzinfo=UTC) - timedelta(days=1)


@strawberry.input
class MutationInput:
    client_mutation_id: str | None = strawberry.field(
        default=None, description="Any text; it is returned in the payload.", metadata={MULTILINE: True}
    )


@strawberry.input
class CreateInput(MutationInput):
    client_id: UUID | None = strawberry.field(
        default=None,
        description="The UUID of the new object, if the client generates it. Sending the same values again creates no second object.",
    )


@strawberry.input
class UpdateInput(MutationInput):
    version: int = strawberry.field(
        description="The version that you read. If it has changed since then, the answer is `CONFLICT` with the current object."
    )


@strawberry.input
class IdempotentInput(MutationInput):
    idempotency_key: str = strawberry.field(
        description="A key of 1 to 255 characters for this one request, such as a UUID. Repeating the request with the same key and"
        " arguments changes nothing and returns the first answer; with different arguments it is refused. Keys are kept"
        " for 30 days."
    )


def required(description: str, *, multiline: bool = False) -> Any:
    """Declares a required field. A text has one line unless it is `multiline`."""
    return strawberry.field(description=description, metadata={MULTILINE: multiline})


def optional(description: str, *, multiline: bool = False) -> Any:
    """Declares an optional field: if it is absent, a default applies, or an update leaves it unchanged. A text has one line unless it is `multiline`."""
    return strawberry.field(default=strawberry.UNSET, description=description, metadata={MULTILINE: multiline})


def node_id(row: type[Row], description: str, *, optional: bool = False) -> Any:
    """Declares a field that takes the global id of a row of this class."""
    options: dict[str, Any] = {"default": strawberry.UNSET} if optional else {}
    return strawberry.field(description=description, metadata={"node": (row.tag, row.type_name)}, **options)


node_ids = node_id


def read_input(given: Any) -> tuple[Values, list[UserError]]:
    """Reads an input. Returns its values by Python name (UUIDs for global ids, values for enums, texts as normalized by `normal_text`) and an error
    for every invalid id, every refused text (rules/text.py) and every value that the database cannot store.

    Absent fields and `clientMutationId` are left out.
    """
    errors: list[UserError] = []
    values = _values(given, "", errors)
    values.pop("client_mutation_id", None)
    return values, errors


def _values(given: Any, path: str, errors: list[UserError]) -> Values:
    found: Values = {}
    for each in fields(given):
        value = getattr(given, each.name)
        if value is strawberry.UNSET:
            continue
        name = f"{path}{to_camel_case(each.name.rstrip('_'))}"
        node = each.metadata.get("node")
        if isinstance(value, list) and len(value) > MAX_LIST:
            errors.append(UserError(name, "TOO_MANY", f"A list may have at most {MAX_LIST} items."))
        elif node is not None and value is not None:
            found[each.name] = _ids(value, node, name, errors)
        else:
            found[each.name] = _plain(value, name, errors, multiline=each.metadata.get(MULTILINE, False))
    return found


def _ids(value: Any, node: tuple[str, str], name: str, errors: list[UserError]) -> Any:
    if isinstance(value, list):
        return [_ids(one, node, f"{name}.{n}", errors) for n, one in enumerate(value)]
    try:
        return read_id(value, *node, name)
    except Refusal as refusal:
        errors.append(UserError(name, "INVALID_ID", refusal.message))
        return None


def _plain(value: Any, name: str, errors: list[UserError], *, multiline: bool) -> Any:
    if isinstance(value, list):
        return [_plain(one, f"{name}.{n}", errors, multiline=multiline) for n, one in enumerate(value)]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        value = normal_text(value, multiline=multiline)
        problem = text_problem(value, multiline=multiline)
    else:
        problem = _problem(value)
    if problem is not None:
        errors.append(UserError(name, "INVALID", problem))
        return None
    if hasattr(type(value), "__strawberry_definition__"):
        return _values(value, f"{name}.", errors)
    return value


def _problem(value: Any) -> str | None:
    """Returns why a date or time cannot be stored (it could not be read back), or None. Malformed values are refused by their scalars."""
    if isinstance(value, datetime) and not _EARLIEST <= value <= _LATEST:
        return "The time must be between the years 1 and 9999."
    if isinstance(value, time) and value.tzinfo is not None:
        return "The time is by the school's clock. Leave the time zone out."
    return None
