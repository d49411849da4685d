"""Tests the costs of the schema's operations: attacks exceed the limit, screens are far below it, and no list is free."""

import pytest
from graphql import GraphQLObjectType, OperationDefinitionNode, get_introspection_query, parse

from benchmarks.contest.screens import LARGE, MEDIUM, SMALL
from config import Settings
from execution.costs import COST, COUNT, PAGE
from execution.documents.cost_analysis import check_cost
from execution.documents.limits import Limits
from tests.graphql_school import SCHEMA

_LIMITS = Limits()
_REPORTS = " ".join(f'r{n}: semesterReports(semesterId: "sem_{n}") {{ gpa }}' for n in range(8))
_AS_OF = 'asOf(at: "2026-07-01T00:00:00Z") { classMembership { fromDate } attendanceSummary(fromDate: "2025-09-01", toDate: "2026-06-30") { days } }'


def cost(query: str, **variables: object) -> int:
    document = parse(query)
    (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return check_cost(SCHEMA._schema, document, operation, variables, Limits(cost=10**12))


@pytest.mark.parametrize(
    "query",
    [
        f"{{ classes(first: 100) {{ nodes {{ {_REPORTS} }} }} }}",
        f"{{ students(first: 500) {{ nodes {{ {_AS_OF} }} }} }}",
        "{ students(first: 500) { nodes { attendance(first: 100) { nodes { id } } } } }",
        '{ students(first: 500) { nodes { attendanceBreakdown(by: DAY, fromDate: "2025-09-01", toDate: "2026-06-30") { startDate } } } }',
    ],
)
def test_operations_that_took_seconds_are_beyond_the_limit(query):
    assert cost(query) > _LIMITS.cost


def test_counting_costs_the_same_whether_the_page_is_empty_or_not():
    counts = " ".join(f"c{n}: grades(first: %s) {{ totalCount }}" for n in range(29))
    assert cost(f"{{ {counts % ((0,) * 29)} }}") == cost(f"{{ {counts % ((100,) * 29)} }}") > 25_000


def test_a_page_of_students_counts_a_list_for_each_of_them():
    one, ten = (cost(f"{{ students(first: {first}) {{ nodes {{ grades(first: 0) {{ totalCount }} }} }} }}") for first in (1, 10))
    assert ten - one >= 9 * 10


def test_a_span_costs_its_days():
    query = 'query ($to: Date!) { attendanceSummary(fromDate: "2026-09-01", toDate: $to) { days } }'
    week, month = cost(query, to="2026-09-07"), cost(query, to="2026-09-30")
    assert week < month < cost(query, to="2027-09-30")
    assert cost(query, to="no day") > month, "what is no day is counted as the longest span"


@pytest.mark.parametrize(("query", "variables"), [(SMALL, {}), (MEDIUM, {}), (LARGE, {"first": 400}), (get_introspection_query(), {})])
def test_ordinary_screens_stay_far_below_the_limit(query, variables):
    assert cost(query, **variables) < _LIMITS.cost / 2


@pytest.mark.parametrize(("query", "variables"), [(SMALL, {}), (MEDIUM, {}), (LARGE, {"first": 400})])
def test_ordinary_screens_do_not_wait_among_the_expensive(query, variables):
    assert cost(query, **variables) <= Settings.model_fields["expensive_cost"].default


def test_every_connection_says_what_a_page_and_its_count_cost():
    for kind in SCHEMA._schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        for name, field in kind.fields.items():
            made = (field.extensions or {}).get("strawberry-definition")
            if made is not None and PAGE in made.metadata:
                assert made.metadata.get(COUNT, 0) >= 10, f"{kind.name}.{name}"
                assert COST in made.metadata, f"{kind.name}.{name}"
