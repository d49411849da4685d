"""Coerces a field's arguments: from the document and the variables to what its resolver takes."""

from collections.abc import Sequence

import strawberry
from graphql import ArgumentNode, FieldNode, GraphQLField, GraphQLSchema, ListValueNode, ObjectValueNode, ValueNode, VariableNode
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Undefined
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.base import StrawberryOptional

from execution.opaque_types import ArgumentValue, StrawberryField
from execution.plan.variables import is_plain_type

__all__ = ["Converter", "coerce_arguments", "has_variables", "variable_arguments"]


class Converter:
    """Turns a Strawberry field's coerced arguments into Python's: names as the resolver spells them, input objects as their classes."""

    __slots__ = ("_arguments", "_config", "_registry", "has_handlers")

    def __init__(self, made: StrawberryField, strawberry_schema: strawberry.Schema) -> None:
        converter = strawberry_schema.schema_converter
        self._arguments: list[StrawberryArgument] = made.arguments
        self._config = converter.config
        self._registry = converter.scalar_registry
        self.has_handlers = bool(getattr(converter, "exception_handlers", ()))

    @classmethod
    def of(cls, definition: GraphQLField, schema: GraphQLSchema) -> "Converter | None":
        """Returns the converter of a field; None for a field that Strawberry has not made."""
        made: StrawberryField = definition.extensions.get("strawberry-definition")
        strawberry_schema: strawberry.Schema | None = getattr(schema, "_strawberry_schema", None)
        return None if made is None or strawberry_schema is None else cls(made, strawberry_schema)

    def __call__(self, values: dict[str, ArgumentValue]) -> dict[str, ArgumentValue]:
        return convert_arguments(values, self._arguments, scalar_registry=self._registry, config=self._config)

    def plain_names(self) -> dict[str, str]:
        """Maps the GraphQL names of the arguments that need no conversion to the resolver's names of them."""
        named = self._config.name_converter.from_argument
        return {named(each): each.python_name for each in self._arguments if _nullable(each.type) in _PLAIN_TYPES}


_PLAIN_TYPES = (str, int, bool, strawberry.ID)


def _nullable(type_: object) -> object:
    return type_.of_type if type(type_) is StrawberryOptional else type_


def coerce_arguments(
    definition: GraphQLField, node: FieldNode, variables: VariableValues, *, hide_suggestions: bool
) -> dict[str, ArgumentValue]:
    """Returns the coerced arguments of a field. Raises GraphQLError for an invalid one."""
    if not definition.args and not node.arguments:
        return {}
    return get_argument_values(definition, node, variables, None, hide_suggestions)


def variable_arguments(definition: GraphQLField, node: FieldNode, converter: Converter) -> dict[str, str] | None:
    """Maps the resolver's names of a field's arguments to the variables that they are, if every argument is one of a plain type.

    The resolver then gets the values of these variables as they are, unless one is null or missing. Returns None if an argument needs more:
    a literal, a default value, or a type that must be converted.
    """
    given = {each.name.value: each.value for each in node.arguments or ()}
    for name, each in definition.args.items():
        if name not in given and (each.default_value is not Undefined or each.default is not None):
            return None
    variables: dict[str, str] = {}
    for name, value in given.items():
        if not isinstance(value, VariableNode) or not is_plain_type(definition.args[name].type):
            return None
        variables[name] = value.name.value
    names = converter.plain_names()
    return {names[name]: variable for name, variable in variables.items()} if variables.keys() <= names.keys() else None


def has_variables(nodes: Sequence[ArgumentNode] | None) -> bool:
    """Whether any of these arguments depends on a variable."""
    return any(_contains_variable(each.value) for each in nodes or ())


def _contains_variable(value: ValueNode) -> bool:
    if isinstance(value, VariableNode):
        return True
    if isinstance(value, ListValueNode):
        return any(_contains_variable(each) for each in value.values)
    return isinstance(value, ObjectValueNode) and any(_contains_variable(each.value) for each in value.fields)
