"""Where something is in a document: the same as graphql-core says, without looking through all of it."""

from graphql import Source
from hypothesis import given
from hypothesis import strategies as st

from execution.sources import IndexedSource


@given(st.text(alphabet="a\n\r", max_size=30), st.integers(0, 30))
def test_a_location_is_graphql_cores(body, position):
    position = min(position, len(body))
    if body[position - 1 : position + 1] == "\r\n" and position:
        # Within a newline no token begins.
        return
    assert IndexedSource(body).get_location(position) == Source(body).get_location(position)


def test_lines_are_looked_for_once():
    source = IndexedSource("a\n" * 1_000)
    source.get_location(5)
    starts = source._line_starts
    source.get_location(1_999)
    assert source._line_starts is starts
