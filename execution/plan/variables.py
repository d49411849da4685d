"""Coerces the variables of an operation: plain ones here, all others through graphql-core.

graphql-core works out the type of each variable anew for each request. Most of what clients send is an id and a number or two.
"""

from collections.abc import Callable

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from execution.opaque_types import ArgumentValue

__all__ = ["Variables", "is_plain_type"]

_MAX_ERRORS = 50


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_int(value: object) -> bool:
    return type(value) is int and -2147483648 <= value <= 2147483647


def _is_boolean(value: object) -> bool:
    return type(value) is bool


# For each scalar the values that are passed to a resolver unchanged.
_PLAIN: dict[object, Callable[[object], bool]] = {
    GraphQLID: _is_text,
    GraphQLString: _is_text,
    GraphQLInt: _is_int,
    GraphQLBoolean: _is_boolean,
}


def _nullable(type_: object) -> object:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def is_plain_type(type_: object) -> bool:
    """Whether an input type is a built-in scalar whose values need no conversion, nullable or not."""
    return _nullable(type_) in _PLAIN


class Variables:
    """The variables that an operation declares; `coerce` turns a request's values into the executor's."""

    __slots__ = ("_hide_suggestions", "_operation", "_plain", "_schema")

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, *, hide_suggestions: bool) -> None:
        self._schema = schema
        self._operation = operation
        self._hide_suggestions = hide_suggestions
        # Each variable with its test; None if one of them is not plain.
        self._plain: list[tuple[str, GraphQLVariableSignature, Callable[[object], bool]]] | None = []
        for node in operation.variable_definitions or ():
            signature = get_variable_signature(schema, node)
            test = None if isinstance(signature, GraphQLError) else _PLAIN.get(_nullable(signature.type))
            if test is None or isinstance(signature, GraphQLError):
                self._plain = None
                return
            self._plain.append((signature.name, signature, test))

    def coerce(self, given: dict[str, ArgumentValue]) -> VariableValues | list[GraphQLError]:
        """Returns the coerced values, or the errors of those that are invalid."""
        if self._plain is not None:
            sources, coerced = {}, {}
            for name, signature, test in self._plain:
                value = given.get(name)
                if not test(value):
                    # Missing, null, left to its default, or invalid.
                    break
                sources[name] = VariableValueSource(signature, value)
                coerced[name] = value
            else:
                return VariableValues(sources, coerced)
        return get_variable_values(
            self._schema,
            self._operation.variable_definitions or (),
            given,
            max_errors=_MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
