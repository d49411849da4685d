"""What an operation may ask for: bounds that are looked at before any of it runs, each in time linear in the document.

Before parsing: characters, tokens, nesting and directives. Before validation: depth, aliases, root fields. Before execution, since it depends on
variables: cost.

A field's cost is declared on it, in Strawberry's metadata: `PAGE: (default, cap)` for a connection, whose contents count once for each object
of the page; `SIZED_BY: "argument"` for a list as long as a list argument, or as an integer one says; `COST: n` for a field that costs more
than others. Otherwise an object costs 1 and a scalar nothing. A list that says neither counts its contents 10 times; so do the schema's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    Lexer,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SchemaMetaFieldDef,
    SelectionSetNode,
    Source,
    TokenKind,
    TypeMetaFieldDef,
    Undefined,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from execution.errors import Refusal

__all__ = ["COST", "PAGE", "SIZED_BY", "Costs", "Limits", "check_cost", "check_shape", "check_tokens"]

PAGE = "page"
SIZED_BY = "sized_by"
COST = "cost"
_LIST_LENGTH = 10
_KEPT_COSTS = 100
_MAX_NESTING = 60
# Selections within selections through fragments and inline fragments too, which are no depth: the walks here recurse this far and no further.
_MAX_WALK = 120
_OPENING = frozenset({TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L})
_CLOSING = frozenset({TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds, each inclusive."""

    tokens: int = 2_000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 30
    cost: int = 50_000
    characters: int = 65_536
    directives: int = 50


def _refuse(code: str, what: str, limit: int, measured: int | str) -> Refusal:
    return Refusal(code, f"The operation has {what} {measured}; the limit is {limit}.", limit=limit)


def check_tokens(text: str, limits: Limits) -> int:
    """How many tokens a text has, before anything is parsed: the parser is recursive, validation slow.

    Raises QUERY_TOO_LONG, QUERY_TOO_DEEP or TOO_MANY_DIRECTIVES when it is beyond a limit. A text that is not made of tokens
    raises GraphQLSyntaxError, as the parser would.
    """
    if len(text) > limits.characters:
        raise _refuse("QUERY_TOO_LONG", "characters:", limits.characters, len(text))
    lexer = Lexer(Source(text))
    count = nesting = directives = 0
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
        elif token.kind is TokenKind.AT:
            directives += 1
            if directives > limits.directives:
                raise _refuse("TOO_MANY_DIRECTIVES", "directives:", limits.directives, f"more than {limits.directives}")
    return count


@dataclass(frozen=True, slots=True)
class Shape:
    """What a document's selections look like: `introspects` when any asks for the schema."""

    introspects: bool


class _Measure:
    """Walks each fragment once, however often it is spread; a fragment that spreads itself counts nothing more (validation refuses it)."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self.aliases = 0
        self.introspects = False
        # Of each fragment: how deep its fields are, and how many it has at its top.
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, selections: SelectionSetNode, walked: int = 0) -> tuple[int, int]:
        """How deep the fields of a selection are, and how many it has at its top, fragments written out."""
        if walked > _MAX_WALK:
            raise _refuse("QUERY_TOO_DEEP", "selections nested", _MAX_WALK, f"more than {_MAX_WALK}")
        deepest = fields = 0
        for each in selections.selections:
            if isinstance(each, FieldNode):
                self.aliases += each.alias is not None
                depth, count = 1 + self._below(each, walked), 1
            elif isinstance(each, FragmentSpreadNode):
                depth, count = self._fragment(each.name.value, walked)
            elif isinstance(each, InlineFragmentNode):
                depth, count = self.of(each.selection_set, walked + 1)
            deepest = max(deepest, depth)
            fields += count
        return deepest, fields

    def _below(self, field: FieldNode, walked: int) -> int:
        depth = self.of(field.selection_set, walked + 1)[0] if field.selection_set else 0
        if field.name.value not in ("__schema", "__type"):
            return depth
        # The schema's own fields are deep by nature, and harmless: they are bounded by their cost.
        self.introspects = True
        return 0

    def _fragment(self, name: str, walked: int) -> tuple[int, int]:
        if name not in self._known:
            self._known[name] = (0, 0)
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.of(fragment.selection_set, walked + 1)
        return self._known[name]


def check_shape(document: DocumentNode, limits: Limits) -> Shape:
    """Raises QUERY_TOO_DEEP, TOO_MANY_ALIASES or TOO_MANY_ROOT_FIELDS. The schema's own fields are not counted in the depth."""
    measure = _Measure(document)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            depth, roots = measure.of(each.selection_set)
            if depth > limits.depth:
                raise _refuse("QUERY_TOO_DEEP", "a depth of", limits.depth, depth)
            if roots > limits.root_fields:
                raise _refuse("TOO_MANY_ROOT_FIELDS", "root fields:", limits.root_fields, roots)
    if measure.aliases > limits.aliases:
        raise _refuse("TOO_MANY_ALIASES", "aliases:", limits.aliases, measure.aliases)
    return Shape(measure.introspects)


class Costs:
    """What the operations of a document cost, as far as that was reckoned: for each the variables that it depends on, and the costs by their values."""

    __slots__ = ("_by_values", "_depends_on")

    def __init__(self) -> None:
        self._depends_on: dict[int, tuple[str, ...]] = {}
        self._by_values: dict[tuple[Any, ...], int] = {}

    def known(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int | None:
        names = self._depends_on.get(id(operation))
        return None if names is None else self._by_values.get(self._key(operation, names, variables))

    def keep(self, operation: OperationDefinitionNode, names: Iterable[str], variables: Mapping[str, Any], cost: int) -> None:
        kept = self._depends_on.setdefault(id(operation), tuple(names))
        if len(self._by_values) >= _KEPT_COSTS:
            self._by_values.clear()
        self._by_values[self._key(operation, kept, variables)] = cost

    @staticmethod
    def _key(operation: OperationDefinitionNode, names: tuple[str, ...], variables: Mapping[str, Any]) -> tuple[Any, ...]:
        if not names:
            return (id(operation),)
        # What counts of a value: a number, a list's length, whether it is there.
        given = [variables.get(name, Undefined) for name in names]
        sizes = [len(each) if isinstance(each, list) else each if isinstance(each, (int, float)) else None for each in given]
        return id(operation), *map(type, given), *sizes


def check_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    limits: Limits,
    costs: Costs | None = None,
) -> int:
    """The cost of a valid operation with these variables, as the client sent them. Raises QUERY_TOO_COSTLY when it is above the limit.

    What is affordable is remembered in `costs`.
    """
    known = None if costs is None else costs.known(operation, variables)
    if known is not None:
        return known
    root = schema.get_root_type(operation.operation)
    if root is None:
        return 0
    given = dict(variables)
    for each in operation.variable_definitions or ():
        if each.variable.name.value not in given and each.default_value is not None:
            given[each.variable.name.value] = _literal(each.default_value, {})
    reckoning = _Cost(schema, document, given)
    cost = reckoning.of(operation.selection_set, root)
    if cost > limits.cost:
        raise _refuse("QUERY_TOO_COSTLY", "a cost of", limits.cost, cost)
    if costs is not None:
        costs.keep(operation, reckoning.looked_at, variables, cost)
    return cost


class _Cost:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._of_fragment: dict[str, int] = {}
        # The variables that made a difference, or could have.
        self.looked_at: dict[str, None] = {}

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
        definition = self._definition(node.name.value, parent)
        if definition is None:
            return 0
        declared = getattr((definition.extensions or {}).get("strawberry-definition"), "metadata", {})
        own = int(declared.get(COST, 1 if node.selection_set else 0))
        kind = get_named_type(definition.type)
        if node.selection_set is None or not is_composite_type(kind):
            return own
        return own + self._times(node, declared, definition) * self.of(node.selection_set, kind)

    def _definition(self, name: str, parent: GraphQLCompositeType) -> GraphQLField | None:
        if name.startswith("__"):
            return {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}.get(name)
        # A union has no fields but __typename.
        fields: Mapping[str, GraphQLField] = getattr(parent, "fields", {})
        return fields.get(name)

    def _times(self, node: FieldNode, declared: Mapping[str, Any], definition: GraphQLField) -> int:
        """How many objects the field has at most: never negative, whatever the client says."""
        if PAGE in declared:
            default, cap = declared[PAGE]
            asked = [_whole(self._argument(node, definition, name)) for name in ("first", "last")]
            sizes = [max(0, min(each, int(cap))) for each in asked if each is not None]
            return max(sizes, default=int(default))
        if SIZED_BY in declared:
            argument = definition.args.get(declared[SIZED_BY])
            value = self._argument(node, definition, declared[SIZED_BY])
            # A lone value where a list is wanted is a list of one, be it a number.
            if argument is None or not isinstance(_nullable(argument.type), GraphQLList):
                size = _whole(value)
                return _LIST_LENGTH if size is None else max(0, size)
            return 0 if value is None else len(value) if isinstance(value, list) else 1
        # The edges and nodes of a page were counted with the page.
        if isinstance(_nullable(definition.type), GraphQLList) and node.name.value not in ("edges", "nodes"):
            return _LIST_LENGTH
        return 1

    def _argument(self, node: FieldNode, definition: GraphQLField, name: str) -> Any:
        """What the field will get: the client's value, or the schema's default where there is none."""
        for each in node.arguments or ():
            if each.name.value == name:
                self.looked_at |= dict.fromkeys(_variables_of(each.value))
                if isinstance(each.value, VariableNode) and each.value.name.value not in self._variables:
                    break
                return _literal(each.value, self._variables)
        argument = definition.args.get(name)
        return None if argument is None or argument.default_value is Undefined else argument.default_value


def _variables_of(value: Any) -> list[str]:
    return [value.name.value] if isinstance(value, VariableNode) else []


def _nullable(kind: Any) -> Any:
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def _whole(value: Any) -> int | None:
    """A value as GraphQL reads an Int: JSON's 100.0 is 100 too."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if isinstance(value, int) or value.is_integer() else None


def _literal(node: Any, variables: Mapping[str, Any]) -> Any:
    """What of an argument matters here: a number, or a list for its length; anything else is only not None."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, ListValueNode):
        return [None] * len(node.values)
    return None if isinstance(node, NullValueNode) else node
