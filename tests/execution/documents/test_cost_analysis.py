"""Tests cost analysis: a cost is the sum of what the fields declare, whatever the document's form; it is cached, and refused above the limit."""

import orjson
import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from execution.documents.cost_analysis import check_cost
from execution.documents.known_costs import KnownCosts
from execution.documents.limits import Limits
from execution.errors import Refusal
from tests.execution.documents.costs_schema import SCHEMA, cost


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
        # A batched field is paid once for all parents.
        ("{ batched { name } }", 1 + 40),
        ("{ things(first: 10) { batched { name } } }", 1 + 10 * (1 + 1) + 40),
        ("{ things(first: 10) { things(first: 10) { batched { name } } } }", 1 + 10 * (1 + 1 + 10 * (1 + 1)) + 40),
        ("{ things(first: 0) { batched { name } } }", 1 + 40),
        # In a page, nodes and edges count once per item, the total count and the page info once.
        ("{ pages { nodes { costly } } }", 1 + 25 * (1 + 7)),
        ("{ pages(first: 10) { edges { node { costly } } } }", 1 + 10 * (1 + 1 + 7)),
        ("{ pages(first: 10) { totalCount } }", 1 + 300),
        ("{ pages(first: 0) { totalCount } }", 1 + 300),
        ("{ pages(first: 0) { a: totalCount b: totalCount pageInfo { hasNextPage } } }", 1 + 600 + 1),
        ("{ pages(first: 10) { ...C } } fragment C on Pages { totalCount nodes { name } }", 1 + 300 + 10),
        ("{ things(first: 10) { pages(first: 2) { totalCount nodes { name } } } }", 1 + 10 * (1 + 1 + 300 + 2)),
        ("{ pages(first: 1) { ...C } otherPages(first: 1) { ...C } } fragment C on Pages { totalCount }", 1 + 300 + 1 + 1),
        # Sizes that a field's own function computes from the arguments.
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
    """Checks 40.0, which GraphQL accepts as the Int 40, so that it must not count as a page of the default size."""
    assert cost("query ($n: Int) { things(first: $n) { costly } }", {"n": value}) == 1 + size * 8


@pytest.mark.parametrize(("value", "size"), [([], 0), (["a", "b"], 2), ("a", 1), (-1000000, 1), (None, 0)])
def test_a_lone_value_is_a_list_of_one(value, size):
    assert cost("query ($ids: [ID!]!) { byIds(ids: $ids) { costly } }", {"ids": value}) == 1 + size * 8


def test_a_variable_without_a_value_leaves_the_schemas_default():
    assert cost("query ($n: Int) { found(first: $n) { costly } }") == 1 + 10 * 8


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), lambda each: st.lists(each, max_size=3)))
def test_no_variable_makes_a_cost_negative(value):
    query = "query ($n: Int, $ids: [ID!]!) { things(first: $n) { costly } byIds(ids: $ids) { costly } found(first: $n) { costly } }"
    # An integer that is too large for a float.
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
    document, costs = parse("{ things(first: 10) { costly } }"), KnownCosts()
    for _ in range(3):
        with pytest.raises(Refusal, match="81"):
            check_cost(SCHEMA, document, document.definitions[0], {}, Limits(cost=80), costs)  # type: ignore[arg-type]
        monkeypatch.setattr("execution.documents.cost_analysis._CostAnalysis", None)


def test_a_remembered_cost_is_held_against_each_clients_limit():
    document, costs = parse("{ things(first: 10) { costly } }"), KnownCosts()
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
    """Checks that two dates don't share a cached cost, since this field's cost depends on the date."""
    document = parse("query ($days: String) { during(days: $days, by: WEEK) { name } }")
    costs = KnownCosts()
    for each in days:
        found = check_cost(SCHEMA, document, document.definitions[0], {"days": each}, Limits(), costs)  # type: ignore[arg-type]
        assert found == (5 if each == "2026-01-01" else 400) + 14
