"""Scalars and enums on their way out: what graphql-core makes of a value, and a Python expression that does the same for the usual ones.

`Leaf.expression` is put into generated code (codegen.py). Where a value is of the scalar's own Python type it goes into the answer as it is:
JSON knows it, or orjson writes it as the scalar's `serialize` would (dates, times, moments in UTC). Every other value goes to `Leaf.complete`.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from inspect import isawaitable
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
)
from graphql.execution.executor import Executor
from graphql.pyutils import Undefined
from strawberry.schema.types import base_scalars

from execution.field_error import IrregularError

__all__ = ["Leaf", "complete_leaf", "leaf", "leaf_list"]

# Raises what graphql-core raises for a value that is none of the type's.
complete_leaf: Callable[[Any, Any], Any] = Executor.complete_leaf_value

# By the function that writes a scalar's values: a test that holds for values that go into the answer as they are.
_AS_IT_IS: dict[Any, str] = {
    GraphQLString.coerce_output_value: "type(v) is str",
    GraphQLID.coerce_output_value: "type(v) is str",
    GraphQLInt.coerce_output_value: "type(v) is int and -2147483648 <= v <= 2147483647",
    GraphQLBoolean.coerce_output_value: "type(v) is bool",
    GraphQLFloat.coerce_output_value: "type(v) is float and v - v == 0",
    int: "type(v) is int",
}
# The same for those that write a value as ISO 8601 says, by the scalar's name.
_ISO = {
    "Date": "type(v) is date",
    "DateTime": "type(v) is datetime and v.tzinfo is UTC",
    "Time": "type(v) is time and v.tzinfo is None",
}
_BUILTINS = {"date": date, "datetime": datetime, "time": time, "UTC": UTC, "Decimal": Decimal, "UUID": UUID}


class Leaf:
    """A leaf type in a place that is nullable or not. `names` are what its expression refers to, beside what it reads."""

    __slots__ = ("_kind", "_nullable", "complete", "names")

    def __init__(self, named: Any, *, nullable: bool) -> None:
        self._nullable = nullable
        self.complete = _completing(named, nullable=nullable)
        self._kind, self.names = _kind(named, nullable=nullable)

    def expression(self, read: str, suffix: str) -> str:
        """Python that reads a value by the expression `read` and gives what goes into the answer. Names end in `suffix`; `v` is its own."""
        slow = f"complete{suffix}(v)"
        if self._kind == "enum":
            return f"lookup{suffix}[{read}]"
        if self._kind == "text":
            return f"(str(v) if isinstance(v := {read}, written{suffix}) else {slow})"
        if self._kind:
            none = " or v is None" if self._nullable else ""
            return f"(v if {self._kind.replace('v', f'(v := {read})', 1)}{none} else {slow})"
        return f"complete{suffix}({read})"

    def bound(self, suffix: str) -> dict[str, Any]:
        """What the expression's names stand for."""
        return {f"{name}{suffix}": value for name, value in self.names.items()} | {f"complete{suffix}": self.complete} | _BUILTINS


@lru_cache(maxsize=4_096)
def leaf(named: Any, nullable: bool) -> Leaf:
    return Leaf(named, nullable=nullable)


def _completing(named: Any, *, nullable: bool) -> Callable[[Any], Any]:
    def complete(value: Any) -> Any:
        if value is None or value is Undefined:
            if nullable:
                return None
            raise IrregularError
        if isinstance(value, Exception) or isawaitable(value):
            raise IrregularError
        return complete_leaf(named, value)

    return complete


def leaf_list(kind: Any) -> Callable[[Any], Any]:
    """Completes whole values of a list of leaves, however deep. Raises for a value with anything in it that is an error or must be awaited."""
    nullable = not isinstance(kind, GraphQLNonNull)
    inner = kind if nullable else kind.of_type
    if not isinstance(inner, GraphQLList):
        return leaf(inner, nullable).complete
    item = leaf_list(inner.of_type)

    def complete(value: Any) -> Any:
        if value is None and nullable:
            return None
        if type(value) is not list and type(value) is not tuple:
            raise IrregularError
        return [item(each) for each in value]

    return complete


def _kind(named: Any, *, nullable: bool) -> tuple[str, dict[str, Any]]:
    if isinstance(named, GraphQLEnumType):
        return "enum", {"lookup": _lookup(named, nullable=nullable)}
    if not isinstance(named, GraphQLScalarType):
        return "", {}
    write = named.coerce_output_value
    if write in (base_scalars.isoformat, datetime.isoformat):
        return _ISO.get(named.name, ""), {}
    if write is str and named.name in ("Decimal", "UUID"):
        return "text", {"written": Decimal if named.name == "Decimal" else UUID}
    try:
        return _AS_IT_IS.get(write, ""), {}
    except TypeError:
        return "", {}


def _lookup(named: GraphQLEnumType, *, nullable: bool) -> dict[Any, Any]:
    """The names of an enum by value, and by member where its values are those of a Python enum."""
    found: dict[Any, Any] = {}
    for name, each in named.values.items():
        try:
            found[each.value] = name
        except TypeError:
            # A value that can't be a key: all of this enum's are looked at in the slow way.
            return {}
    members = getattr(named, "wrapped_cls", None)
    if members is not None:
        for member in members:
            found[member] = named.coerce_output_value(member)
    if nullable:
        found.setdefault(None, None)
    return found
