"""Completes the values of scalars and enums (the specification's CompleteLeafValue): by graphql-core, or by generated code that does the same.

`Leaf.expression` goes into generated code (codegen.py). A value of the scalar's own Python type is in the response as it is, if JSON has such
values, or if orjson writes them as the scalar's `serialize` does (dates, times, moments in UTC). All other values go through `Leaf.complete`.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from inspect import isawaitable
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)
from graphql.execution.executor import Executor
from graphql.pyutils import Undefined
from strawberry.schema.types import base_scalars

from execution.field_error import NeedsSlowPathError
from execution.opaque_types import JSONData, Source

__all__ = ["Leaf", "complete_leaf", "leaf", "leaf_list"]

# Raises graphql-core's errors for a value that the type does not have.
complete_leaf: Callable[[GraphQLLeafType, Source], JSONData] = Executor.complete_leaf_value

_Complete = Callable[[Source], JSONData]
# A condition that holds for the values that need no conversion, by the function that serialises a scalar's values.
_UNCHANGED_IF: dict[object, str] = {
    GraphQLString.coerce_output_value: "type(v) is str",
    GraphQLID.coerce_output_value: "type(v) is str",
    GraphQLInt.coerce_output_value: "type(v) is int and -2147483648 <= v <= 2147483647",
    GraphQLBoolean.coerce_output_value: "type(v) is bool",
    GraphQLFloat.coerce_output_value: "type(v) is float and v - v == 0",
    int: "type(v) is int",
}
# The same for scalars in the format of ISO 8601, by the scalar's name.
_UNCHANGED_ISO_IF = {
    "Date": "type(v) is date",
    "DateTime": "type(v) is datetime and v.tzinfo is UTC",
    "Time": "type(v) is time and v.tzinfo is None",
}
_BUILTINS: dict[str, object] = {"date": date, "datetime": datetime, "time": time, "UTC": UTC, "Decimal": Decimal, "UUID": UUID}


class Leaf:
    """A leaf type, nullable or not. `names` are what its expression refers to, beside what it reads."""

    __slots__ = ("_condition", "_nullable", "complete", "names")

    def __init__(self, named: GraphQLNamedType, *, nullable: bool) -> None:
        self._nullable = nullable
        self.complete = _completion(named, nullable=nullable)
        self._condition, self.names = _condition(named, nullable=nullable)

    def expression(self, read: str, suffix: str) -> str:
        """Returns Python code that completes the value of the expression `read`. Names in it end in `suffix`; `v` is its own."""
        slow = f"complete{suffix}(v)"
        if self._condition == "enum":
            return f"lookup{suffix}[{read}]"
        if self._condition == "text":
            return f"(str(v) if isinstance(v := {read}, class{suffix}) else {slow})"
        if self._condition:
            none = " or v is None" if self._nullable else ""
            return f"(v if {self._condition.replace('v', f'(v := {read})', 1)}{none} else {slow})"
        return f"complete{suffix}({read})"

    def bound(self, suffix: str) -> dict[str, object]:
        """Returns what the names in the expression refer to."""
        return {f"{name}{suffix}": value for name, value in self.names.items()} | {f"complete{suffix}": self.complete} | _BUILTINS


@lru_cache(maxsize=4_096)
def leaf(named: GraphQLNamedType, nullable: bool) -> Leaf:
    return Leaf(named, nullable=nullable)


def _completion(named: GraphQLNamedType, *, nullable: bool) -> _Complete:
    assert isinstance(named, (GraphQLScalarType, GraphQLEnumType))

    def complete(value: Source) -> JSONData:
        if value is None or value is Undefined:
            if nullable:
                return None
            raise NeedsSlowPathError
        if isinstance(value, Exception) or isawaitable(value):
            raise NeedsSlowPathError
        return complete_leaf(named, value)

    return complete


def leaf_list(type_: GraphQLOutputType) -> _Complete:
    """Returns a function that completes whole values of a list of leaves, however deep.

    It raises for a value with anything in it that is an error or must be awaited.
    """
    nullable = not isinstance(type_, GraphQLNonNull)
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if not isinstance(inner, GraphQLList):
        return leaf(inner, nullable).complete
    complete_item = leaf_list(inner.of_type)

    def complete(value: Source) -> JSONData:
        if value is None and nullable:
            return None
        if type(value) is not list and type(value) is not tuple:
            raise NeedsSlowPathError
        return [complete_item(each) for each in value]

    return complete


def _condition(named: GraphQLNamedType, *, nullable: bool) -> tuple[str, dict[str, object]]:
    """Returns when a value needs no conversion: a Python condition on `v`, "text" or "enum"; "" if every value needs it. And the names in it."""
    if isinstance(named, GraphQLEnumType):
        return "enum", {"lookup": _enum_lookup(named, nullable=nullable)}
    if not isinstance(named, GraphQLScalarType):
        return "", {}
    serialize = named.coerce_output_value
    if serialize in (base_scalars.isoformat, datetime.isoformat):
        return _UNCHANGED_ISO_IF.get(named.name, ""), {}
    if serialize is str and named.name in ("Decimal", "UUID"):
        return "text", {"class": Decimal if named.name == "Decimal" else UUID}
    try:
        return _UNCHANGED_IF.get(serialize, ""), {}
    except TypeError:
        return "", {}


def _enum_lookup(named: GraphQLEnumType, *, nullable: bool) -> dict[Source, str | None]:
    """Returns the names of an enum by value, and by member if its values are those of a Python enum."""
    found: dict[Source, str | None] = {}
    for name, each in named.values.items():
        try:
            found[each.value] = name
        except TypeError:
            # A value that cannot be a key: every value of this enum needs the slow path.
            return {}
    for member in getattr(named, "wrapped_cls", None) or ():
        found[member] = named.coerce_output_value(member)
    if nullable:
        found.setdefault(None, None)
    return found
