"""How the values of a leaf type are written as JSON, for a source that writes them itself."""

from datetime import datetime
from typing import Any

from graphql import GraphQLBoolean, GraphQLEnumType, GraphQLID, GraphQLInt, GraphQLString
from strawberry.schema.types import base_scalars

__all__ = ["names_of_enum", "writing_of"]

# What a source that writes rows as JSON is told of a leaf: by the function that writes a scalar's values, or by the scalar's name.
_WRITING: dict[Any, str] = {
    GraphQLString.coerce_output_value: "text",
    GraphQLID.coerce_output_value: "text",
    GraphQLInt.coerce_output_value: "int",
    GraphQLBoolean.coerce_output_value: "boolean",
}
_WRITING_BY_NAME = {"BigInt": "bigint", "Date": "date", "DateTime": "datetime", "Time": "time", "Decimal": "decimal", "UUID": "uuid"}
_WRITES_BY_NAME = (int, str, base_scalars.isoformat, datetime.isoformat)


def writing_of(named: Any) -> str | None:
    """How a leaf's values are written, for who writes them as JSON elsewhere; None for a leaf that only its own function can write.

    `text`, `int` (of 32 bits), `bigint`, `boolean`; `date`, `datetime` (with offset), `time`, as ISO 8601 writes them; `decimal` and `uuid`, as
    texts; `enum` (`names_of_enum`).
    """
    if isinstance(named, GraphQLEnumType):
        return "enum" if names_of_enum(named) else None
    try:
        found = _WRITING.get(named.coerce_output_value)
    except TypeError:
        return None
    if found is None and named.coerce_output_value in _WRITES_BY_NAME:
        return _WRITING_BY_NAME.get(named.name)
    return found


def names_of_enum(named: Any) -> tuple[tuple[str, str], ...]:
    """The names of an enum by its values; nothing when these are not all texts, or it is none."""
    if not isinstance(named, GraphQLEnumType):
        return ()
    found = tuple((each.value, name) for name, each in named.values.items())
    return found if all(isinstance(value, str) for value, _ in found) else ()
