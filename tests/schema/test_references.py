"""Tests that the type of an edge is stated once: by its loader, or by an annotation if the loader states none."""

import ast
from pathlib import Path

import pytest
import strawberry
from strawberry.utils.str_converters import to_camel_case

from auth.capabilities import Capability
from db.rows import Row
from execution.loaders import Loader
from schema import roots
from schema.inputs import IdempotentInput, MutationInput
from schema.mutations import mutation
from schema.nodes import Node, node
from schema.references import node_type, reference
from schema.roots import query_fields, root_type

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


def test_two_node_types_do_not_share_the_tag_of_their_ids():
    class Second(Row):
        __slots__ = ()
        type_name = "Second"
        tag = "stu"

    @strawberry.type
    class Second2(Node):
        pass

    Second2.__name__ = "Second"
    with pytest.raises(ValueError, match="two node types have the tag stu"):
        node(Second, Loader(_nothing, "seconds", type_name="Second"))(Second2)


def test_two_root_fields_do_not_share_a_name(monkeypatch):
    monkeypatch.setattr(roots, "_FIELDS", {"Query": []})

    @query_fields
    class One:
        lunch: str = strawberry.field(resolver=lambda: "")

    @query_fields
    class Other:
        lunch: str = strawberry.field(resolver=lambda: "")

    with pytest.raises(ValueError, match="two root fields are called lunch"):
        root_type("Query", "The queries.")


@pytest.mark.parametrize(("base", "scope"), [(IdempotentInput, None), (MutationInput, "serveLunch")])
def test_an_input_with_a_key_and_a_scope_of_keys_require_each_other(base, scope):
    @strawberry.input
    class ServeLunchInput(base):
        pass

    with pytest.raises(TypeError, match="an IdempotentInput and a scope require each other"):
        mutation(Capability.MANAGE_SCHOOL, ServeLunchInput, _nothing, description="Serves lunch.", scope=scope)


def test_the_scope_of_each_mutations_keys_is_its_first_name():
    """The first names are the present ones until a field is renamed; then the pair is written here."""
    found = {
        name: keyword.value.value
        for path in SCHEMA.rglob("*.py")
        for each in ast.walk(ast.parse(path.read_text()))
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call)
        for name in [to_camel_case(ast.unparse(each.targets[0]))]
        for keyword in each.value.keywords
        if keyword.arg == "scope"
    }
    assert len(found) >= 14
    assert {name: scope for name, scope in found.items() if name != scope} == {}
