"""Tests the exact number of SQL statements of a screen, which reveals a loader that does not batch."""

import pytest
from graphql import get_named_type, is_required_argument

from tests.graphql_school import SCHEMA, cost

SCREEN = """
query ($first: Int!) {
  students(first: $first, filter: {isActive: true}) {
    nodes {
      name
      class { name }
      user { email: contact { email } }
      grades(first: 5) { nodes { percentage letter subject { name } } }
      attendance(first: 10) { nodes { date status } }
    }
  }
}
"""


@pytest.mark.parametrize("first", [1, 20, 100])
async def test_a_screen_of_students_costs_the_same_statements_whatever_their_number(demo, first):
    answer = await demo.ask(SCREEN, first=first)
    assert not answer.errors
    nodes = answer.data["students"]["nodes"]
    assert len(nodes) == first
    assert all(node["class"] and node["user"] and len(node["attendance"]["nodes"]) == 10 for node in nodes)
    assert any(grade["subject"] for node in nodes for grade in node["grades"]["nodes"])
    assert answer.statements == cost(4, 6), "classes come with the students, subjects with the grades"


async def test_a_teachers_screen_costs_one_statement_more_for_the_reach(demo):
    answer = await demo.ask(SCREEN, "teacher@demo.school", first=100)
    assert answer.statements == cost(5, 7)


async def test_counts_are_taken_only_when_asked_for_and_once_for_all_parents(demo):
    query = "{ classes(first: 12) { nodes { students(first: 1) { %s nodes { id } } } } }"
    without = await demo.ask(query % "")
    counted = await demo.ask(query % "totalCount")
    assert (without.statements, counted.statements) == (cost(1, 2), 3)
    enrolled = await demo.data("{ classes(first: 12) { nodes { currentEnrollment students(filter: {isActive: true}) { totalCount } } } }")
    for node in enrolled["classes"]["nodes"]:
        assert node["currentEnrollment"] == node["students"]["totalCount"]


async def test_every_list_field_costs_one_statement_and_one_more_for_its_count(demo):
    # Of these the demo school has no rows.
    empty = {"gatewayEvents", "gradeReopenings", "serviceTokens"}
    root_fields = SCHEMA._schema.query_type.fields.items()
    # A field with required arguments is not a plain list.
    lists = {
        name
        for name, field in root_fields
        if get_named_type(field.type).name.endswith("Connection") and not any(is_required_argument(each) for each in field.args.values())
    } - empty
    assert len(lists) > 15
    for name in sorted(lists):
        plain = await demo.ask(f"{{ {name}(first: 3) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}")
        assert not plain.errors
        assert plain.data[name]["nodes"], name
        assert plain.statements == 1, name
        counted = await demo.ask(f"{{ {name}(first: 3) {{ totalCount nodes {{ id }} }} }}")
        assert counted.statements == 2, name
