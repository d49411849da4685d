"""The variables of an operation: plain ones are looked at here, whatever is not as plain as that goes through graphql-core.

graphql-core works out the type of each variable anew for each request. What a screen sends is mostly an id and a number or two.
"""

from collections.abc import Callable
from typing import Any

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

__all__ = ["Variables", "is_plain_type"]

_MAX_ERRORS = 50


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_int(value: Any) -> bool:
    return type(value) is int and -2147483648 <= value <= 2147483647


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


# Scalars of which these values are what a resolver gets.
_PLAIN: dict[Any, Callable[[Any], bool]] = {GraphQLID: _is_text, GraphQLString: _is_text, GraphQLInt: _is_int, GraphQLBoolean: _is_boolean}


def is_plain_type(kind: Any) -> bool:
    """Whether a type is one of GraphQL's own scalars whose values need no conversion, nullable or not."""
    return (kind.of_type if isinstance(kind, GraphQLNonNull) else kind) in _PLAIN


class Variables:
    """What an operation declares. Coerces the values of one request: `of(given)`."""

    __slots__ = ("_hide_suggestions", "_operation", "_plain", "_schema")

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, *, hide_suggestions: bool) -> None:
        self._schema = schema
        self._operation = operation
        self._hide_suggestions = hide_suggestions
        # Each plain variable with its test; None when one is not plain.
        self._plain: list[tuple[str, GraphQLVariableSignature, Callable[[Any], bool]]] | None = []
        for node in operation.variable_definitions or ():
            signature = get_variable_signature(schema, node)
            test = None
            if not isinstance(signature, GraphQLError):
                kind: Any = signature.type
                test = _PLAIN.get(kind.of_type if isinstance(kind, GraphQLNonNull) else kind)
            if test is None or isinstance(signature, GraphQLError):
                self._plain = None
                return
            self._plain.append((signature.name, signature, test))

    def of(self, given: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values as the executor takes them, or what is wrong with them."""
        if self._plain is not None:
            sources, coerced = {}, {}
            for name, signature, test in self._plain:
                value = given.get(name)
                if not test(value):
                    # Not there, null, a default to be taken, or wrong.
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
