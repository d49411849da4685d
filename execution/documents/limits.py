"""Limits of an operation, checked before it is executed in time linear in the document.

Before parsing: characters, lines, tokens, nesting and directives. Before validation: depth, fields, aliases, root fields. Before execution, since
it depends on variables: cost (cost_analysis.py).
"""

from dataclasses import dataclass
from typing import NamedTuple

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

__all__ = ["Extent", "Limits", "check_extent", "check_size", "check_tokens"]

_MAX_NESTING = 60
# Maximum nesting of selection sets including fragments (which don't count as depth). It bounds this module's recursion.
_MAX_WALK = 120
_OPENING = frozenset({TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L})
_CLOSING = frozenset({TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits, each inclusive."""

    tokens: int = 2_000
    depth: int = 12
    aliases: int = 30
    root_fields: int = 30
    cost: int = 50_000
    characters: int = 65_536
    lines: int = 2_000
    fields: int = 3_000
    directives: int = 50
    answer_bytes: int = 16_777_216


def _refuse(code: str, what: str, limit: int, measured: int | str) -> Refusal:
    return Refusal(code, f"The operation has {what} {measured}; the limit is {limit}.", limit=limit)


def check_size(text: str, tokens: int, limits: Limits) -> None:
    """Raises QUERY_TOO_LONG if a text has too many characters, or too many tokens, where these were counted."""
    if len(text) > limits.characters:
        raise _refuse("QUERY_TOO_LONG", "characters:", limits.characters, len(text))
    if tokens > limits.tokens:
        raise _refuse("QUERY_TOO_LONG", "tokens:", limits.tokens, f"more than {limits.tokens}")


def check_tokens(source: Source | str, limits: Limits) -> int:
    """Returns the number of tokens of a text, comments included, before it is parsed: the parser is recursive, and validation slow.

    Raises QUERY_TOO_LONG, QUERY_TOO_DEEP or TOO_MANY_DIRECTIVES if the text exceeds a limit, and GraphQLSyntaxError, like the parser, if it has
    an invalid token.
    """
    source = Source(source) if isinstance(source, str) else source
    text = source.body
    check_size(text, 0, limits)
    # Errors are located line by line.
    lines = text.count("\n") + text.count("\r") + 1
    if lines > limits.lines:
        raise _refuse("QUERY_TOO_LONG", "lines:", limits.lines, lines)
    lexer = Lexer(source)
    count = nesting = directives = 0
    end = 0
    # Not lexer.advance(), which skips comments: each is kept with the document, and takes as much memory as any other token.
    while (token := lexer.read_next_token(end)).kind is not TokenKind.EOF:
        end = token.end
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
class Extent:
    """The extent of a document: whether it `introspects` the schema, and the number of `fields` of its largest operation with fragments expanded."""

    introspects: bool
    fields: int


class _SelectionExtent(NamedTuple):
    """The extent of a selection set with fragments expanded: the depth of its fields, their number at the top, and in all."""

    depth: int
    top: int
    fields: int


_NOTHING = _SelectionExtent(0, 0, 0)


class _Measure:
    """Measures selection sets. A fragment is walked once, however often it is spread; a cycle counts once (validation refuses it)."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self.aliases = 0
        self.introspects = False
        self._known: dict[str, _SelectionExtent] = {}

    def of(self, selections: SelectionSetNode, walked: int = 0) -> _SelectionExtent:
        if walked > _MAX_WALK:
            raise _refuse("QUERY_TOO_DEEP", "selections nested", _MAX_WALK, f"more than {_MAX_WALK}")
        depth = top = fields = 0
        for each in selections.selections:
            if isinstance(each, FieldNode):
                self.aliases += each.alias is not None
                below = self._below(each, walked)
                found = _SelectionExtent(1 + below.depth, 1, 1 + below.fields)
            elif isinstance(each, FragmentSpreadNode):
                found = self._fragment(each.name.value, walked)
            elif isinstance(each, InlineFragmentNode):
                found = self.of(each.selection_set, walked + 1)
            depth = max(depth, found.depth)
            top += found.top
            fields += found.fields
        return _SelectionExtent(depth, top, fields)

    def _below(self, field: FieldNode, walked: int) -> _SelectionExtent:
        below = self.of(field.selection_set, walked + 1) if field.selection_set else _NOTHING
        if field.name.value not in ("__schema", "__type"):
            return below
        # Introspection is deep by nature, and computed once for all clients: its cost limits it.
        self.introspects = True
        return _NOTHING

    def _fragment(self, name: str, walked: int) -> _SelectionExtent:
        if name not in self._known:
            self._known[name] = _NOTHING
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.of(fragment.selection_set, walked + 1)
        return self._known[name]


def check_extent(document: DocumentNode, limits: Limits) -> Extent:
    """Returns the extent of a document. Raises QUERY_TOO_DEEP, QUERY_TOO_COMPLEX, TOO_MANY_ALIASES or TOO_MANY_ROOT_FIELDS.

    Selections of the introspection fields count neither as depth nor as fields.
    """
    measure = _Measure(document)
    fields = 0
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            extent = measure.of(each.selection_set)
            fields = max(fields, extent.fields)
            if extent.depth > limits.depth:
                raise _refuse("QUERY_TOO_DEEP", "a depth of", limits.depth, extent.depth)
            if extent.top > limits.root_fields:
                raise _refuse("TOO_MANY_ROOT_FIELDS", "root fields:", limits.root_fields, extent.top)
    if fields > limits.fields:
        raise _refuse("QUERY_TOO_COMPLEX", "fields, fragments written out:", limits.fields, fields)
    if measure.aliases > limits.aliases:
        raise _refuse("TOO_MANY_ALIASES", "aliases:", limits.aliases, measure.aliases)
    return Extent(measure.introspects, fields)
