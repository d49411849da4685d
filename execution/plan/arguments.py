"""A field's arguments: from the document and the variables to what its resolver takes."""

from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLSchema, ListValueNode, ObjectValueNode, VariableNode
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Undefined
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryOptional

from execution.plan.variables import is_plain_type

__all__ = ["Converter", "arguments", "has_variables", "plain_arguments"]


class Converter:
    """Turns a Strawberry field's GraphQL arguments into Python's: names as the resolver has them, input objects as their classes."""

    __slots__ = ("_arguments", "_config", "_registry", "has_handlers")

    def __init__(self, made: Any, strawberry_schema: Any) -> None:
        converter = strawberry_schema.schema_converter
        self._arguments = made.arguments
        self._config = converter.config
        self._registry = converter.scalar_registry
        self.has_handlers = bool(converter.exception_handlers)

    @classmethod
    def of(cls, definition: GraphQLField, schema: GraphQLSchema) -> "Converter | None":
        """None for a field that is not Strawberry's."""
        made = definition.extensions.get("strawberry-definition")
        strawberry_schema = getattr(schema, "_strawberry_schema", None)
        return None if made is None or strawberry_schema is None else cls(made, strawberry_schema)

    def __call__(self, values: dict[str, Any]) -> dict[str, Any]:
        return convert_arguments(values, self._arguments, scalar_registry=self._registry, config=self._config)

    def plain_names(self) -> dict[str, str]:
        """What the resolver calls each argument that it takes as GraphQL's own scalars give it, by what GraphQL calls it."""
        named = self._config.name_converter.from_argument
        return {named(each): each.python_name for each in self._arguments if _nullable(each.type) in _AS_THEY_ARE}


_AS_THEY_ARE = (str, int, bool, strawberry.ID)


def _nullable(kind: Any) -> Any:
    return kind.of_type if type(kind) is StrawberryOptional else kind


def arguments(definition: GraphQLField, node: Any, variables: VariableValues, *, hide_suggestions: bool) -> dict[str, Any]:
    """The coerced arguments of a field. Raises GraphQLError for one that does not fit."""
    if not definition.args and not node.arguments:
        return {}
    return get_argument_values(definition, node, variables, None, hide_suggestions)


def plain_arguments(definition: GraphQLField, node: Any, converter: Converter) -> dict[str, str] | None:
    """The variables that a field's arguments are, by the resolver's names for them, when they are all plain: of a type of GraphQL's own.

    Then a variable's value, if there is one that is not null, is what the resolver gets. None: there is more to it.
    """
    given = {each.name.value: each.value for each in node.arguments or ()}
    for name, each in definition.args.items():
        if name not in given and (each.default_value is not Undefined or each.default is not None):
            return None
    if not all(isinstance(value, VariableNode) and is_plain_type(definition.args[name].type) for name, value in given.items()):
        return None
    names = converter.plain_names()
    return {names[name]: value.name.value for name, value in given.items()} if given.keys() <= names.keys() else None


def has_variables(nodes: Any) -> bool:
    """Whether any of these arguments depends on a variable."""
    return any(_depends(each.value) for each in nodes or ())


def _depends(value: Any) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_depends(each) for each in value.values)
    return isinstance(value, ObjectValueNode) and any(_depends(each.value) for each in value.fields)
