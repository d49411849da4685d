"""What an operation may ask for: bounds that are looked at before any of it runs, each in time linear in the document.

Before parsing: characters, tokens, nesting and directives. Before validation: depth, aliases, root fields. Before execution, since it depends on
variables: cost (costs.py).
"""

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
)

from execution.errors import Refusal

__all__ = ["Limits", "Shape", "check_shape", "check_tokens"]

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
