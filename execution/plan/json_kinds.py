"""Decides how a source that serialises rows as JSON writes the values of a leaf type."""

from datetime import datetime

from graphql import GraphQLBoolean, GraphQLEnumType, GraphQLID, GraphQLInt, GraphQLNamedType, GraphQLScalarType, GraphQLString
from strawberry.schema.types import base_scalars

__all__ = ["enum_names", "json_kind_of"]

# By the function that serialises a scalar's values; or by the scalar's name, if that function is one of the general ones below.
_BY_FUNCTION: dict[object, str] = {
    GraphQLString.coerce_output_value: "text",
    GraphQLID.coerce_output_value: "text",
    GraphQLInt.coerce_output_value: "int",
    GraphQLBoolean.coerce_output_value: "boolean",
}
_BY_NAME = {"BigInt": "bigint", "Date": "date", "DateTime": "datetime", "Time": "time", "Decimal": "decimal", "UUID": "uuid"}
_GENERAL_FUNCTIONS = (int, str, base_scalars.isoformat, datetime.isoformat)


def json_kind_of(named: GraphQLNamedType) -> str | None:
    """Returns how values of a leaf type are written in JSON; None for a type that only its own function can serialise.

    One of `text`, `int` (of 32 bits), `bigint`, `boolean`; `date`, `datetime` (with offset), `time` in the format of ISO 8601; `decimal` and
    `uuid`, as texts; `enum` (see `enum_names`).
    """
    if isinstance(named, GraphQLEnumType):
        return "enum" if enum_names(named) else None
    if not isinstance(named, GraphQLScalarType):
        return None
    try:
        found = _BY_FUNCTION.get(named.coerce_output_value)
    except TypeError:
        return None
    if found is None and named.coerce_output_value in _GENERAL_FUNCTIONS:
        return _BY_NAME.get(named.name)
    return found


def enum_names(named: GraphQLNamedType) -> tuple[tuple[str, str], ...]:
    """Returns the values of an enum with their names; () for another type, or if the values are not all texts."""
    if not isinstance(named, GraphQLEnumType):
        return ()
    found = tuple((each.value, name) for name, each in named.values.items())
    return found if all(isinstance(value, str) for value, _ in found) else ()
