"""The limits: each just below and just above, and none of them slow on a document made to be."""

import contextlib
from enum import Enum
from typing import Any

import orjson
import pytest
import strawberry
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from execution.costs import BATCH, COST, COUNT, EACH, PAGE, SIZED_BY, ArgumentValues
from execution.documents.cost_analysis import Costs, check_cost
from execution.documents.document_cache import Documents, InvalidDocumentError
from execution.documents.limits import Limits, check_shape, check_tokens
from execution.errors import Refusal


@strawberry.enum
class By(Enum):
    DAY = "day"
    WEEK = "week"


@strawberry.type
class Pages:
    nodes: "list[Thing]"
    edges: "list[Edge]"
    page_info: "PageInfo"
    total_count: int


@strawberry.type
class Edge:
    node: "Thing"


@strawberry.type
class PageInfo:
    has_next_page: bool


def _points(arguments: ArgumentValues) -> int:
    return 5 if arguments["days"] == "2026-01-01" else 400


def _length(arguments: ArgumentValues) -> int:
    return 100 if arguments["by"] == "DAY" else 14


@strawberry.type
class Thing:
    name: str
    costly: str = strawberry.field(resolver=lambda: "", metadata={COST: 7})

    @strawberry.field(metadata={PAGE: (25, 100)})
    def things(self, first: int | None = None, last: int | None = None) -> "list[Thing]":
        return []

    @strawberry.field(metadata={PAGE: (25, 100), COUNT: 300})
    def pages(self, first: int | None = None, last: int | None = None) -> "Pages":
        return Pages([], [], PageInfo(False), 0)

    @strawberry.field(metadata={PAGE: (25, 100)})
    def other_pages(self, first: int | None = None, last: int | None = None) -> "Pages":
        return Pages([], [], PageInfo(False), 0)

    @strawberry.field(metadata={COST: _points, SIZED_BY: _length, EACH: 1})
    def during(self, by: By, days: str | None = None) -> "list[Thing]":
        return []

    @strawberry.field
    def plain_list(self) -> "list[Thing]":
        return []

    @strawberry.field(metadata={EACH: 30})
    def heavy_list(self) -> "list[Thing]":
        return []

    @strawberry.field(metadata={BATCH: 40})
    def batched(self) -> "Thing":
        return self

    @strawberry.field
    def one(self) -> "Thing":
        return self


@strawberry.type
class Query(Thing):
    @strawberry.field(metadata={SIZED_BY: "ids"})
    def by_ids(self, ids: list[strawberry.ID]) -> list[Thing]:
        return []

    @strawberry.field(metadata={SIZED_BY: "first"})
    def found(self, first: int = 10) -> list[Thing]:
        return []


SCHEMA = strawberry.Schema(Query)._schema


def cost(query: str, variables: dict[str, Any] | None = None, limit: int = 10**30) -> int:
    document = parse(query)
    return check_cost(SCHEMA, document, document.definitions[0], variables or {}, Limits(cost=limit))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ name }", 0),
        ("{ costly }", 7),
        ("{ one { name } }", 1),
        ("{ things { name } }", 1 + 25),
        ("{ things { one { name } } }", 1 + 25 * (1 + 1)),
        ("{ things(first: 10) { one { name } } }", 1 + 10 * (1 + 1)),
        ("{ things(last: 10) { one { name } } }", 1 + 10 * (1 + 1)),
        ("{ things(first: 5000) { one { name } } }", 1 + 100 * (1 + 1)),
        ("{ things(first: -1) { one { name } } }", 1),
        ("{ things(first: 10) { things(first: 10) { costly } } }", 1 + 10 * (1 + 1 + 10 * (1 + 7))),
        ("{ plainList { costly } }", 1 + 10 * (1 + 7)),
        ("{ heavyList { costly } }", 1 + 10 * (30 + 7)),
        ('{ byIds(ids: ["a", "b", "c"]) { costly } }', 1 + 3 * (1 + 7)),
        ("{ ...F } fragment F on Query { one { name } }", 1),
        ("{ ... on Query { one { costly } } }", 8),
        ("{ byIds(ids: []) { costly } }", 1),
        ("{ byIds(ids: -1000000) { costly } }", 1 + (1 + 7)),
        ("{ found { costly } }", 1 + 10 * (1 + 7)),
        ("{ found(first: 3) { costly } }", 1 + 3 * (1 + 7)),
        ("{ found(first: -1000000) { costly } }", 1),
        ("{ things(first: 10, last: 20) { costly } }", 1 + 20 * (1 + 7)),
        # A batch is one for all parents.
        ("{ batched { name } }", 1 + 40),
        ("{ things(first: 10) { batched { name } } }", 1 + 10 * (1 + 1) + 40),
        ("{ things(first: 10) { things(first: 10) { batched { name } } } }", 1 + 10 * (1 + 1 + 10 * (1 + 1)) + 40),
        ("{ things(first: 0) { batched { name } } }", 1 + 40),
        # A page: its nodes and edges are as many as it is long, its count and its place in the list are there once.
        ("{ pages { nodes { costly } } }", 1 + 25 * (1 + 7)),
        ("{ pages(first: 10) { edges { node { costly } } } }", 1 + 10 * (1 + 1 + 7)),
        ("{ pages(first: 10) { totalCount } }", 1 + 300),
        ("{ pages(first: 0) { totalCount } }", 1 + 300),
        ("{ pages(first: 0) { a: totalCount b: totalCount pageInfo { hasNextPage } } }", 1 + 600 + 1),
        ("{ pages(first: 10) { ...C } } fragment C on Pages { totalCount nodes { name } }", 1 + 300 + 10),
        ("{ things(first: 10) { pages(first: 2) { totalCount nodes { name } } } }", 1 + 10 * (1 + 1 + 300 + 2)),
        ("{ pages(first: 1) { ...C } otherPages(first: 1) { ...C } } fragment C on Pages { totalCount }", 1 + 300 + 1 + 1),
        # What arguments say, in the field's own words.
        ('{ during(days: "2026-01-01", by: DAY) { name } }', 5 + 100),
        ('{ during(days: "2026-01-01", by: WEEK) { name } }', 5 + 14),
        ("{ during(by: DAY) { name } }", 400 + 100),
        ("{ __typename __schema { types { name fields { name } } } }", 1 + 1 + 10 * (1 + 1 + 10)),
        ('{ __type(name: "Thing") { fields { type { name } } } }', 1 + 1 + 10 * (1 + 1)),
    ],
)
def test_an_operations_cost_is_reckoned_from_what_its_fields_declare(query, expected):
    assert cost(query) == expected


def test_cost_depends_on_the_variables():
    query = "query ($n: Int = 3, $ids: [ID!]!) { things(first: $n) { costly } byIds(ids: $ids) { costly } }"
    assert cost(query, {"ids": []}) == 1 + 3 * 8 + 1
    assert cost(query, {"n": 5, "ids": ["a", "b"]}) == 1 + 5 * 8 + 1 + 2 * 8


@pytest.mark.parametrize(("value", "size"), [(40, 40), (40.0, 40), (-1, 0), (10**6, 100), (True, 25), (1.5, 25), ("40", 25), (None, 25)])
def test_a_variable_is_read_as_graphql_reads_it(value, size):
    """JSON's 40.0 is an Int of 40 to GraphQL: it must not pass for a page of the default size."""
    assert cost("query ($n: Int) { things(first: $n) { costly } }", {"n": value}) == 1 + size * 8


@pytest.mark.parametrize(("value", "size"), [([], 0), (["a", "b"], 2), ("a", 1), (-1000000, 1), (None, 0)])
def test_a_lone_value_is_a_list_of_one(value, size):
    assert cost("query ($ids: [ID!]!) { byIds(ids: $ids) { costly } }", {"ids": value}) == 1 + size * 8


def test_a_variable_without_a_value_leaves_the_schemas_default():
    assert cost("query ($n: Int) { found(first: $n) { costly } }") == 1 + 10 * 8


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), lambda each: st.lists(each, max_size=3)))
def test_no_variable_makes_a_cost_negative(value):
    query = "query ($n: Int, $ids: [ID!]!) { things(first: $n) { costly } byIds(ids: $ids) { costly } found(first: $n) { costly } }"
    # No float is as large as this.
    assert cost(query, {"n": value, "ids": value}, limit=10**320) >= 3


def test_cost_is_refused_above_the_limit_and_not_at_it():
    query = "{ things(first: 10) { costly } }"
    assert cost(query, limit=81) == 81
    with pytest.raises(Refusal) as refused:
        cost(query, limit=80)
    assert refused.value.extensions == {"code": "QUERY_TOO_COSTLY", "limit": 80, "cost": {"requested": 81, "limit": 80}}
    assert "81" in refused.value.message


def test_a_refusal_can_be_written_however_much_is_asked_for():
    with pytest.raises(Refusal) as refused:
        cost("query ($n: Int) { found(first: $n) { costly } }", {"n": 1e300}, limit=50_000)
    assert orjson.loads(orjson.dumps(refused.value.extensions))["cost"]["requested"] == 2**53 - 1


def test_an_operation_that_is_too_dear_is_reckoned_once(monkeypatch):
    document, costs = parse("{ things(first: 10) { costly } }"), Costs()
    for _ in range(3):
        with pytest.raises(Refusal, match="81"):
            check_cost(SCHEMA, document, document.definitions[0], {}, Limits(cost=80), costs)  # type: ignore[arg-type]
        monkeypatch.setattr("execution.documents.cost_analysis._Reckoning", None)


def test_a_remembered_cost_is_held_against_each_clients_limit():
    document, costs = parse("{ things(first: 10) { costly } }"), Costs()
    assert check_cost(SCHEMA, document, document.definitions[0], {}, Limits(cost=81), costs) == 81  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        check_cost(SCHEMA, document, document.definitions[0], {}, Limits(cost=80), costs)  # type: ignore[arg-type]


_PARTS = st.sampled_from(
    [
        "costly",
        "one { costly }",
        "batched { name }",
        "plainList { name }",
        "pages(first: 3) { totalCount nodes { costly } pageInfo { hasNextPage } }",
        "things(first: 4) { costly batched { one { name } } }",
        "during(by: DAY) { name }",
    ]
)


@given(st.lists(_PARTS, min_size=1, max_size=6))
def test_a_selections_cost_is_the_sum_of_its_fields(parts):
    whole = " ".join(f"f{number}: {each}" for number, each in enumerate(parts))
    assert cost(f"{{ {whole} }}") == sum(cost(f"{{ {each} }}") for each in parts)


@given(st.lists(_PARTS, min_size=1, max_size=4), st.integers(0, 100))
def test_a_fragment_costs_the_same_as_its_fields_written_out(parts, first):
    fields = " ".join(f"f{number}: {each}" for number, each in enumerate(parts))
    spread = cost(f"{{ pages(first: {first}) {{ nodes {{ ...F }} }} one {{ ...F }} }} fragment F on Thing {{ {fields} }}")
    assert spread == cost(f"{{ pages(first: {first}) {{ nodes {{ {fields} }} }} one {{ {fields} }} }}")


@given(_PARTS, st.integers(0, 120), st.integers(0, 120))
def test_a_longer_page_never_costs_less(part, one, other):
    costs = [cost(f"{{ pages(first: {first}) {{ totalCount nodes {{ {part} }} }} }}") for first in sorted([one, other])]
    assert costs[0] <= costs[1]


@given(st.lists(st.sampled_from(["2026-01-01", "2026-02-02", None, "no day"]), min_size=1, max_size=8))
def test_a_remembered_cost_is_the_one_of_these_values(days):
    """A date decides this field's cost, so two dates must not share one place among the remembered costs."""
    document = parse("query ($days: String) { during(days: $days, by: WEEK) { name } }")
    costs = Costs()
    for each in days:
        found = check_cost(SCHEMA, document, document.definitions[0], {"days": each}, Limits(), costs)  # type: ignore[arg-type]
        assert found == (5 if each == "2026-01-01" else 400) + 14


def shape(query: str, **limits: int) -> str | None:
    try:
        check_shape(parse(query), Limits(**limits))
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
    """A chain of fragments, each with inline fragments in it: nothing but nesting."""
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
    """Each fragment spreads the next twice: written out it has 2 to the power of `count` fields."""
    spreads = "".join(f" fragment F{n} on Thing {{ one {{ ...F{n + 1} }} two: one {{ ...F{n + 1} }} }}" for n in range(count))
    return f"{{ one {{ ...F0 }} }}{spreads} fragment F{count} on Thing {{ name }}"


@pytest.mark.parametrize("count", [20, 25, 55])
def test_nested_fragments_take_no_time(count):
    # Written out it would not end: that it ends is the test.
    text = fragments(count)
    check_tokens(text, Limits())
    document = parse(text)
    check_shape(document, Limits(depth=1000, aliases=1000, fields=10**30))
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


# Within all limits, and made so that validation compares every field with every other.
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
