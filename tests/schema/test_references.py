"""Tests that the type of an edge is stated once: by its loader, or by an annotation if the loader states none."""

import ast
from pathlib import Path

import pytest
import strawberry

from db.rows import Row
from execution.loaders import Loader
from schema.nodes import Node, node
from schema.references import node_type, reference

SCHEMA = Path(__file__).parents[2] / "schema"
# What declares a field and its type at once. `edge` alone takes its type from an annotation.
TYPED = {"to_one", "connection", "root_connection", "root_node"}


async def _nothing(context, keys, arguments):
    return [None for _ in keys]


def test_no_field_states_a_type_that_its_loader_or_its_arguments_state_already():
    twice = [
        f"{path.name}:{each.lineno}: {ast.unparse(each.target)}: {ast.unparse(each.annotation)}"
        for path in sorted(SCHEMA.rglob("*.py"))
        for each in ast.walk(ast.parse(path.read_text()))
        if isinstance(each, ast.AnnAssign) and isinstance(each.value, ast.Call)
        for declares in [ast.unparse(each.value.func)]
        if declares in TYPED or declares.endswith("_edge")
    ]
    assert not twice, "take the annotations away:\n" + "\n".join(twice)


def test_a_loader_that_states_no_type_makes_no_edge_to_a_node():
    with pytest.raises(TypeError, match="'sums' states no node type"):
        node_type(Loader(_nothing, "sums"))


def test_a_reference_to_a_type_that_is_not_there_is_named_when_the_schema_is_built():
    @strawberry.type
    class Query:
        gone = strawberry.field(resolver=lambda: None, graphql_type=reference("Gone") | None)

    with pytest.raises(TypeError, match="No type is called Gone"):
        strawberry.Schema(Query)


def test_a_node_type_has_the_name_that_its_rows_and_its_loader_state():
    class Visit(Row):
        __slots__ = ()
        type_name = "Visit"
        tag = "visit"

    @strawberry.type
    class Visit2(Node):
        pass

    with pytest.raises(ValueError, match="Visit2 has rows of the type 'Visit' and a loader of 'Visit'"):
        node(Visit, Loader(_nothing, "visits", type_name="Visit"))(Visit2)
