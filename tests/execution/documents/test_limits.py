"""Tests each limit of documents just below and just above it, and that checking is fast on documents designed to make it slow."""

import contextlib

import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from execution.documents.document_cache import Documents, InvalidDocumentError
from execution.documents.limits import Limits, check_extent, check_tokens
from execution.errors import Refusal
from tests.execution.documents.costs_schema import SCHEMA, cost


def shape(query: str, **limits: int) -> str | None:
    try:
        check_extent(parse(query), Limits(**limits))
    except Refusal as refusal:
        return refusal.code
    return None


def test_depth_is_counted_through_fragments():
    query = "{ one { ...F } } fragment F on Thing { one { ... on Thing { one { name } } } }"
    assert shape(query, depth=4) is None
    assert shape(query, depth=3) == "QUERY_TOO_DEEP"


def test_the_schemas_own_fields_do_not_count_as_depth():
    assert shape("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }", depth=1) is None


def test_aliases_are_counted_as_written():
    assert shape("{ a: name b: name ...F } fragment F on Query { c: name }", aliases=3) is None
    assert shape("{ a: name b: name ...F } fragment F on Query { c: name }", aliases=2) == "TOO_MANY_ALIASES"


def test_root_fields_are_counted_through_fragments():
    query = "{ name ...F ...F } fragment F on Query { name costly }"
    assert shape(query, root_fields=5) is None
    assert shape(query, root_fields=4) == "TOO_MANY_ROOT_FIELDS"


def test_tokens_are_counted_before_anything_is_parsed():
    text = "{" + " name" * 18 + " }"
    check_tokens(text, Limits(tokens=20))
    with pytest.raises(Refusal, match="19"):
        check_tokens(text, Limits(tokens=19))


def test_characters_are_counted_before_anything_is_read():
    text = "{ name }".ljust(100)
    check_tokens(text, Limits(characters=100))
    with pytest.raises(Refusal) as refused:
        check_tokens(text, Limits(characters=99))
    assert refused.value.extensions == {"code": "QUERY_TOO_LONG", "limit": 99}


def test_directives_are_counted_before_anything_is_parsed():
    text = "{" + " name @include(if: true)" * 3 + " }"
    check_tokens(text, Limits(directives=3))
    with pytest.raises(Refusal) as refused:
        check_tokens(text, Limits(directives=2))
    assert refused.value.extensions == {"code": "TOO_MANY_DIRECTIVES", "limit": 2}


def chain(fragments: int, nested: int) -> str:
    """Returns a chain of fragments with inline fragments in each, to nest without depth."""
    links = "".join(f" fragment F{n} on Query {{ {'... { ' * nested} ...F{n + 1} {'} ' * nested} }}" for n in range(fragments))
    return f"{{ ...F0 }}{links} fragment F{fragments} on Query {{ name }}"


@pytest.mark.parametrize(("fragments", "nested", "code"), [(119, 0, None), (120, 0, "QUERY_TOO_DEEP"), (10, 55, "QUERY_TOO_DEEP")])
def test_what_is_nested_through_fragments_is_bounded_before_it_recurses_too_far(fragments, nested, code):
    assert shape(chain(fragments, nested)) == code


@pytest.mark.parametrize("opening", ["{a", "{a(b:[", "{a(b:{c:", "[", "("])
def test_nesting_is_bounded_before_the_recursive_parser_sees_it(opening):
    with pytest.raises(Refusal) as refused:
        check_tokens(opening * 600, Limits(tokens=10_000))
    assert refused.value.code == "QUERY_TOO_DEEP"


def fragments(count: int) -> str:
    """Returns fragments that each spread the next one twice: expanded, they have 2 to the power of `count` fields."""
    spreads = "".join(f" fragment F{n} on Thing {{ one {{ ...F{n + 1} }} two: one {{ ...F{n + 1} }} }}" for n in range(count))
    return f"{{ one {{ ...F0 }} }}{spreads} fragment F{count} on Thing {{ name }}"


@pytest.mark.parametrize("count", [20, 25, 55])
def test_nested_fragments_take_no_time(count):
    # Expanding it would take forever, so the test is that this returns.
    text = fragments(count)
    check_tokens(text, Limits())
    document = parse(text)
    check_extent(document, Limits(depth=1000, aliases=1000, fields=10**30))
    assert cost(text) >= 2**count


def test_a_document_of_nested_fragments_is_refused_by_its_depth_before_it_is_validated():
    with pytest.raises(Refusal) as refused:
        Documents(SCHEMA, Limits()).read(fragments(20))
    assert refused.value.code == "QUERY_TOO_DEEP"


def test_fragments_in_a_circle_end():
    assert shape("{ ...A } fragment A on Query { one { ...B } } fragment B on Thing { one { ...A } }", depth=50) is None
    with pytest.raises(InvalidDocumentError) as invalid:
        Documents(SCHEMA, Limits()).read("{ ...A } fragment A on Query { name ...A }")
    assert invalid.value.code == "GRAPHQL_VALIDATION_FAILED"


def test_a_document_that_is_not_valid_or_is_long_is_not_kept():
    documents = Documents(SCHEMA, Limits())
    long = "{ name }".ljust(16_385)
    assert documents.read(long) is not documents.read(long)
    assert documents.read(long[:-1]) is documents.read(long[:-1])
    for _ in range(2):
        with pytest.raises(InvalidDocumentError):
            documents.read("{ wrong }")


def test_no_more_errors_are_told_than_anybody_reads():
    with pytest.raises(InvalidDocumentError) as invalid:
        Documents(SCHEMA, Limits()).read("{ one {" + "".join(f" wrong{n}" for n in range(1_900)) + " } }")
    assert len(invalid.value.errors) == 21


# Within all limits, but designed so that validation compares every field with every other.
REPETITIONS = {
    "one field": "{ one { " + "name " * 1_990 + "} }",
    "one object field": "{ one { " + "one { name } " * 490 + "} }",
    "nested": "{ one { " + ("one { " + "name " * 7 + "} ") * 190 + "} }",
    "fragments": "{ one { "
    + " ".join(f"...F{n}" for n in range(60))
    + " } } "
    + " ".join(f"fragment F{n} on Thing {{ {'name ' * 25} }}" for n in range(60)),
}


@pytest.mark.parametrize("text", REPETITIONS.values(), ids=REPETITIONS)
def test_comparing_fields_with_each_other_stops_at_a_budget(text):
    with pytest.raises(Refusal) as refused:
        Documents(SCHEMA, Limits()).read(text)
    assert refused.value.code == "QUERY_TOO_COMPLEX"


def test_many_fragments_that_select_the_same_are_within_the_budget():
    spread = " ".join(f"...F{n}" for n in range(80))
    fragments = " ".join(f"fragment F{n} on Thing {{ name costly one {{ name one {{ name costly }} }} }}" for n in range(80))
    assert Documents(SCHEMA, Limits()).read(f"{{ one {{ {spread} }} }} {fragments}")


@given(st.text(alphabet='{}()[]:,.$@!#"abF012 \n\\', max_size=200))
def test_any_text_is_a_document_or_refused(text):
    with contextlib.suppress(Refusal, InvalidDocumentError):
        assert Documents(SCHEMA, Limits()).read(text).operations is not None
