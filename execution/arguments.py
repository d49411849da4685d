"""A field's arguments: from the document and the variables to what its resolver takes."""

from typing import Any

from graphql import GraphQLField, GraphQLSchema, ListValueNode, ObjectValueNode, VariableNode
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments

__all__ = ["Converter", "arguments", "has_variables"]


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


def arguments(definition: GraphQLField, node: Any, variables: VariableValues, *, hide_suggestions: bool) -> dict[str, Any]:
    """The coerced arguments of a field. Raises GraphQLError for one that does not fit."""
    if not definition.args and not node.arguments:
        return {}
    return get_argument_values(definition, node, variables, None, hide_suggestions)


def has_variables(nodes: Any) -> bool:
    """Whether any of these arguments depends on a variable."""
    return any(_depends(each.value) for each in nodes or ())


def _depends(value: Any) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_depends(each) for each in value.values)
    return isinstance(value, ObjectValueNode) and any(_depends(each.value) for each in value.fields)
