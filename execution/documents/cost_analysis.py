"""Computes what an operation costs before it runs, from what its fields declare (execution/costs.py) and its arguments."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    StringValueNode,
    TypeMetaFieldDef,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from execution.costs import BATCH, COST, COUNT, EACH, PAGE, SIZED_BY, ArgumentValues
from execution.documents.known_costs import KnownCosts
from execution.documents.limits import Limits
from execution.errors import Refusal
from execution.opaque_types import ArgumentValue, StrawberryField

__all__ = ["check_cost"]

# What a field declares in Strawberry's metadata, by the keys of execution/costs.py.
Declared: TypeAlias = Mapping[str, StrawberryField]

_LIST_LENGTH = 10
_LARGEST = 2**53 - 1
# The fields of a connection that count for each object of the page; its other fields count once.
_PAGED = frozenset({"edges", "nodes"})


def check_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, ArgumentValue],
    limits: Limits,
    costs: KnownCosts | None = None,
) -> int:
    """Returns the cost of a valid operation with these variables, as the client sent them. Raises QUERY_TOO_COSTLY if it is above the limit.

    The result is kept in `costs`, also if it is above the limit: it is computed once.
    """
    known = None if costs is None else costs.find(operation, variables)
    if known is not None:
        return _within(limits, known)
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    given = dict(variables)
    for each in operation.variable_definitions or ():
        if each.variable.name.value not in given and each.default_value is not None:
            given[each.variable.name.value] = _literal(each.default_value, {})
    analysis = _CostAnalysis(schema, document, given)
    price = analysis.of(operation.selection_set, root, None)
    cost = price.each + price.once + price.batches
    if costs is not None:
        costs.keep(operation, analysis.used_variables, variables, cost)
    return _within(limits, cost)


def _within(limits: Limits, cost: int) -> int:
    if cost > limits.cost:
        # A variable can ask for a list of 10^300; JSON's integers end before that.
        cost = min(cost, _LARGEST)
        raise Refusal(
            "QUERY_TOO_COSTLY",
            f"The operation has a cost of {cost}; the limit is {limits.cost}.",
            limit=limits.cost,
            cost={"requested": cost, "limit": limits.cost},
        )
    return cost


class _Price(NamedTuple):
    """Holds the cost of a selection: for `each` object, `once` for each page of objects, and for its `batches`, regardless of the number of objects."""

    each: int = 0
    once: int = 0
    batches: int = 0

    def plus(self, other: "_Price") -> "_Price":
        return _Price(self.each + other.each, self.once + other.once, self.batches + other.batches)


class _Page(NamedTuple):
    """What a connection declares of its pages: the cost of its `total` count, and of `each` of its objects."""

    total: int
    each: int


class _CostAnalysis:
    """Computes the cost of one operation. A fragment is walked once for each kind of page that it is spread in."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, ArgumentValue]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._of_fragment: dict[tuple[str, _Page | None], _Price] = {}
        # The variables that the cost depends on.
        self.used_variables: dict[str, None] = {}

    def of(self, selections: SelectionSetNode, parent: GraphQLCompositeType, page: _Page | None) -> _Price:
        """Returns the cost of a selection set. `page` is what the connection declares, if the selection is of one."""
        total = _Price()
        for each in selections.selections:
            if isinstance(each, FieldNode):
                total = total.plus(self._field(each, parent, page))
            elif isinstance(each, FragmentSpreadNode):
                key = (each.name.value, page)
                if key not in self._of_fragment:
                    self._of_fragment[key] = self._fragment(self._fragments[each.name.value], parent, page)
                total = total.plus(self._of_fragment[key])
            elif isinstance(each, InlineFragmentNode):
                total = total.plus(self._fragment(each, parent, page))
        return total

    def _fragment(self, node: FragmentDefinitionNode | InlineFragmentNode, parent: GraphQLCompositeType, page: _Page | None) -> _Price:
        on = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        return self.of(node.selection_set, on if on is not None and is_composite_type(on) else parent, page)

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, page: _Page | None) -> _Price:
        definition = self._definition(node.name.value, parent)
        if definition is None:
            return _Price()
        declared: Declared = getattr((definition.extensions or {}).get("strawberry-definition"), "metadata", {})
        own, batch = self._own(node, declared, definition), int(declared.get(BATCH, 0))
        if page is not None:
            return self._of_page(node, definition, page, own, batch)
        is_list = isinstance(_nullable(definition.type), GraphQLList)
        if PAGE in declared and not is_list:
            inner = self._below(node, definition, _Page(int(declared.get(COUNT, 1)), int(declared.get(EACH, 1))))
            return _Price(own + self._page(node, declared, definition) * inner.each + inner.once, 0, batch + inner.batches)
        inner = self._below(node, definition, None)
        if not is_list or node.selection_set is None:
            return _Price(own + inner.each, 0, batch + inner.batches)
        each = int(declared.get(EACH, 1)) + inner.each
        return _Price(own + self._length(node, declared, definition) * each, 0, batch + inner.batches)

    def _of_page(self, node: FieldNode, definition: GraphQLField, page: _Page, own: int, batch: int) -> _Price:
        """Returns the cost of a field of a connection: nodes and edges count for each object of the page, the total count and page info once."""
        inner = self._below(node, definition, None)
        if node.name.value in _PAGED:
            return _Price(page.each + inner.each, 0, batch + inner.batches)
        once = page.total if node.name.value == "totalCount" else own
        return _Price(0, once + inner.each, batch + inner.batches)

    def _below(self, node: FieldNode, definition: GraphQLField, page: _Page | None) -> _Price:
        named = get_named_type(definition.type)
        if node.selection_set is None or not is_composite_type(named):
            return _Price()
        return self.of(node.selection_set, named, page)

    def _own(self, node: FieldNode, declared: Declared, definition: GraphQLField) -> int:
        # A leaf comes with its object; one that is there again under an alias comes on top.
        cost = declared.get(COST, 1 if node.selection_set or node.alias else 0)
        return int(cost(self._arguments(node, definition))) if callable(cost) else int(cost)

    def _definition(self, name: str, parent: GraphQLCompositeType) -> GraphQLField | None:
        if name.startswith("__"):
            return {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}.get(name)
        # A union has no fields but __typename.
        fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
        return fields.get(name)

    def _page(self, node: FieldNode, declared: Declared, definition: GraphQLField) -> int:
        """Returns the size of a page: never negative, whatever the client sent."""
        default, cap = declared[PAGE]
        asked = [_whole(self._argument(node, definition, name)) for name in ("first", "last")]
        sizes = [max(0, min(each, int(cap))) for each in asked if each is not None]
        return max(sizes, default=int(default))

    def _length(self, node: FieldNode, declared: Declared, definition: GraphQLField) -> int:
        """Returns the greatest length of a list: never negative, whatever the client sent."""
        if PAGE in declared:
            return self._page(node, declared, definition)
        sized_by: str | int | Callable[[ArgumentValues], int] = declared.get(SIZED_BY, _LIST_LENGTH)
        if isinstance(sized_by, int):
            return sized_by
        if callable(sized_by):
            return max(0, int(sized_by(self._arguments(node, definition))))
        argument = definition.args.get(sized_by)
        value = self._argument(node, definition, sized_by)
        # A lone value in the place of a list is a list of one, be it a number.
        if argument is None or not isinstance(_nullable(argument.type), GraphQLList):
            size = _whole(value)
            return _LIST_LENGTH if size is None else max(0, size)
        return 0 if value is None else len(value) if isinstance(value, list) else 1

    def _arguments(self, node: FieldNode, definition: GraphQLField) -> ArgumentValues:
        return {name: self._argument(node, definition, name) for name in definition.args}

    def _argument(self, node: FieldNode, definition: GraphQLField, name: str) -> ArgumentValue:
        """Returns the value that the field will get: the client's, or else the schema's default."""
        for each in node.arguments or ():
            if each.name.value == name:
                self.used_variables |= dict.fromkeys(_variables_of(each.value))
                if isinstance(each.value, VariableNode) and each.value.name.value not in self._variables:
                    break
                return _literal(each.value, self._variables)
        argument = definition.args.get(name)
        return None if argument is None or argument.default_value is Undefined else argument.default_value


def _variables_of(value: ValueNode) -> list[str]:
    return [value.name.value] if isinstance(value, VariableNode) else []


def _nullable(type_: GraphQLType) -> GraphQLType:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _whole(value: ArgumentValue) -> int | None:
    """Returns a value as GraphQL coerces an Int (JSON's 100.0 is 100 too); None if it is no integer."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _literal(node: ValueNode, variables: Mapping[str, ArgumentValue]) -> ArgumentValue:
    """Returns the part of an argument that a cost can depend on.

    A number, a text, an enum's name; a list of the same length; of any other value whether it is null.
    """
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, (StringValueNode, EnumValueNode)):
        return node.value
    if isinstance(node, ListValueNode):
        return [None] * len(node.values)
    return None if isinstance(node, NullValueNode) else node
