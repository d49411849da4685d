"""Tests the indexed source: locations are those that graphql-core computes, without scanning the whole document."""

from graphql import Node, Source, parse
from hypothesis import given
from hypothesis import strategies as st

from execution.documents.indexed_source import IndexedSource, drop_tokens


@given(st.text(alphabet="a\n\r", max_size=30), st.integers(0, 30))
def test_a_location_is_graphql_cores(body, position):
    position = min(position, len(body))
    if body[position - 1 : position + 1] == "\r\n" and position:
        # No token begins within a line break.
        return
    assert IndexedSource(body).get_location(position) == Source(body).get_location(position)


def test_lines_are_looked_for_once():
    source = IndexedSource("a\n" * 1_000)
    source.get_location(5)
    starts = source._line_starts
    source.get_location(1_999)
    assert source._line_starts is starts


def nodes_of(node):
    yield node
    for name in node.keys:
        value = getattr(node, name, None)
        for each in value if isinstance(value, tuple) else [value]:
            if isinstance(each, Node):
                yield from nodes_of(each)


def test_nodes_keep_their_places_and_no_tokens():
    text = 'query A($a: [Int!] = [1]) @x(y: {z: "é"}) { a: b(c: $a) { ...F ... on T { d } } } # end\nfragment F on T { e }'
    document, other = parse(text), parse(text)
    drop_tokens(document)
    assert [(each.kind, each.loc.start, each.loc.end) for each in nodes_of(document)] == [
        (each.kind, each.loc.start, each.loc.end) for each in nodes_of(other)
    ]
    assert {id(each) for node in nodes_of(document) for each in (node.loc.start_token, node.loc.end_token)} == {
        id(document.loc.start_token)
    }
    assert document.loc.start_token.next is None
    drop_tokens(parse(text, no_location=True))
