"""What an operation may ask for: bounds that are looked at before any of it runs, each in time linear in the document.

Before parsing: tokens and nesting. Before validation: depth, aliases, root fields. Before execution, since it depends on variables: cost.

A field's cost is declared on it, in Strawberry's metadata: `PAGE: (default, cap)` for a connection, whose contents count once for each object
of the page; `SIZED_BY: "argument"` for a list as long as a list argument; `COST: n` for a field that costs more than others. Otherwise an
object costs 1 and a scalar nothing. A list that says neither counts its contents 10 times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Lexer,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from execution.errors import Refusal

__all__ = ["COST", "PAGE", "SIZED_BY", "Limits", "check_cost", "check_shape", "check_tokens"]

PAGE = "page"
SIZED_BY = "sized_by"
COST = "cost"
_LIST_LENGTH = 10
_MAX_NESTING = 60
_OPENING = frozenset({TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L})
_CLOSING = frozenset({TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R})


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds, each inclusive."""

    tokens: int = 2_000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 30
    cost: int = 50_000


def _refuse(code: str, what: str, limit: int, measured: int | str) -> Refusal:
    return Refusal(code, f"The operation has {what} {measured}; the limit is {limit}.", limit=limit)


def check_tokens(text: str, limits: Limits) -> None:
    """Raises QUERY_TOO_LONG or QUERY_TOO_DEEP before anything is parsed: the parser is recursive. Syntax errors are left to the parser."""
    lexer = Lexer(Source(text))
    count = nesting = 0
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        count += 1
        if count > limits.tokens:
            raise _refuse("QUERY_TOO_LONG", "tokens:", limits.tokens, f"more than {limits.tokens}")
        if token.kind in _OPENING:
            nesting += 1
            if nesting > _MAX_NESTING:
                raise _refuse("QUERY_TOO_DEEP", "brackets nested", _MAX_NESTING, f"more than {_MAX_NESTING}")
        elif token.kind in _CLOSING:
            nesting -= 1


@dataclass(frozen=True, slots=True)
class Shape:
    """What a document's selections look like: `introspects` when any asks for the schema."""

    introspects: bool


class _Measure:
    """Walks each fragment once, however often it is spread; a fragment that spreads itself counts nothing more (validation refuses it)."""

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self.aliases = 0
        self.introspects = False
        self._depths: dict[str, int] = {}
        self._roots: dict[str, int] = {}

    def depth(self, selections: SelectionSetNode) -> int:
        deepest = 0
        for each in selections.selections:
            if isinstance(each, FieldNode):
                self.aliases += each.alias is not None
                if each.name.value in ("__schema", "__type"):
                    self.introspects = True
                    continue
                deepest = max(deepest, 1 + (self.depth(each.selection_set) if each.selection_set else 0))
            elif isinstance(each, FragmentSpreadNode):
                name = each.name.value
                if name not in self._depths:
                    self._depths[name] = 0
                    fragment = self.fragments.get(name)
                    self._depths[name] = self.depth(fragment.selection_set) if fragment else 0
                deepest = max(deepest, self._depths[name])
            elif isinstance(each, InlineFragmentNode):
                deepest = max(deepest, self.depth(each.selection_set))
        return deepest

    def root_fields(self, selections: SelectionSetNode) -> int:
        count = 0
        for each in selections.selections:
            if isinstance(each, FieldNode):
                count += 1
            elif isinstance(each, FragmentSpreadNode):
                name = each.name.value
                if name not in self._roots:
                    self._roots[name] = 0
                    fragment = self.fragments.get(name)
                    self._roots[name] = self.root_fields(fragment.selection_set) if fragment else 0
                count += self._roots[name]
            elif isinstance(each, InlineFragmentNode):
                count += self.root_fields(each.selection_set)
        return count


def check_shape(document: DocumentNode, limits: Limits) -> Shape:
    """Raises QUERY_TOO_DEEP, TOO_MANY_ALIASES or TOO_MANY_ROOT_FIELDS. The schema's own fields are not counted in the depth."""
    measure = _Measure(document)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            depth = measure.depth(each.selection_set)
            if depth > limits.depth:
                raise _refuse("QUERY_TOO_DEEP", "a depth of", limits.depth, depth)
            roots = measure.root_fields(each.selection_set)
            if roots > limits.root_fields:
                raise _refuse("TOO_MANY_ROOT_FIELDS", "root fields:", limits.root_fields, roots)
    if measure.aliases > limits.aliases:
        raise _refuse("TOO_MANY_ALIASES", "aliases:", limits.aliases, measure.aliases)
    return Shape(measure.introspects)


def check_cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any], limits: Limits
) -> int:
    """The cost of a valid operation with these variables. Raises QUERY_TOO_COSTLY when it is above the limit."""
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    given = dict(variables)
    for each in operation.variable_definitions or ():
        if each.variable.name.value not in given and each.default_value is not None:
            given[each.variable.name.value] = _literal(each.default_value, {})
    cost = _Cost(schema, document, given).of(operation.selection_set, root)
    if cost > limits.cost:
        raise _refuse("QUERY_TOO_COSTLY", "a cost of", limits.cost, cost)
    return cost


class _Cost:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._of_fragment: dict[str, int] = {}

    def of(self, selections: SelectionSetNode, parent: GraphQLCompositeType) -> int:
        total = 0
        for each in selections.selections:
            if isinstance(each, FieldNode):
                total += self._field(each, parent)
            elif isinstance(each, FragmentSpreadNode):
                name = each.name.value
                if name not in self._of_fragment:
                    fragment = self._fragments[name]
                    self._of_fragment[name] = self._conditioned(fragment, parent)
                total += self._of_fragment[name]
            else:
                total += self._conditioned(each, parent)
        return total

    def _conditioned(self, node: Any, parent: GraphQLCompositeType) -> int:
        on = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        return self.of(node.selection_set, on if on is not None and is_composite_type(on) else parent)

    def _field(self, node: FieldNode, parent: GraphQLCompositeType) -> int:
        if node.name.value.startswith("__") or (not isinstance(parent, GraphQLObjectType) and not hasattr(parent, "fields")):
            return 0
        definition = parent.fields.get(node.name.value)  # type: ignore[union-attr]  # a union has no fields but __typename
        if definition is None:
            return 0
        declared = getattr((definition.extensions or {}).get("strawberry-definition"), "metadata", {})
        own = int(declared.get(COST, 1 if node.selection_set else 0))
        kind = get_named_type(definition.type)
        if node.selection_set is None or not is_composite_type(kind):
            return own
        return own + self._times(node, declared, definition.type) * self.of(node.selection_set, kind)

    def _times(self, node: FieldNode, declared: Mapping[str, Any], kind: Any) -> int:
        arguments = {each.name.value: each.value for each in node.arguments or ()}
        if PAGE in declared:
            default, cap = declared[PAGE]
            for name in ("first", "last"):
                if name in arguments:
                    value = _literal(arguments[name], self._variables)
                    if isinstance(value, int):
                        return min(max(value, 0), int(cap))
            return int(default)
        if SIZED_BY in declared:
            value = _literal(arguments[declared[SIZED_BY]], self._variables) if declared[SIZED_BY] in arguments else ()
            return len(value) if isinstance(value, (list, tuple)) else int(value) if isinstance(value, int) else 1
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        # The edges and nodes of a page were counted with the page.
        if isinstance(inner, GraphQLList) and node.name.value not in ("edges", "nodes"):
            return _LIST_LENGTH
        return 1


def _literal(node: Any, variables: Mapping[str, Any]) -> Any:
    """What of an argument matters here: an integer, or a list for its length."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, ListValueNode):
        return [None] * len(node.values)
    return None
