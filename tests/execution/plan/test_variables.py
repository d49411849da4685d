"""Tests that the fast path for simple variables and arguments coerces them as graphql-core and Strawberry do, and leaves all others to them."""

from decimal import Decimal
from enum import Enum

import pytest
import strawberry
from graphql import GraphQLError, build_schema, get_variable_values, parse
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.plan.arguments import Converter, coerce_arguments, variable_arguments
from execution.plan.variables import Variables

SCHEMA = build_schema("""
    type Query { echo(i: Int, s: String, b: Boolean, id: ID, f: Float, e: E, l: [Int], o: O): String }
    enum E { ONE TWO }
    input O { a: Int = 3, b: [O] }
""")
DECLARED = [
    "Int",
    "Int!",
    "String",
    "String!",
    "Boolean",
    "Boolean!",
    "ID",
    "ID!",
    "Float",
    "E",
    "[Int]",
    "[Int!]!",
    "O",
    "O!",
    "Int = 7",
    'String = "x"',
]
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**33), 2**33) | st.floats() | st.text(max_size=5) | st.sampled_from(["ONE", "3", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=2),
    max_leaves=5,
)


@given(
    st.lists(st.sampled_from(DECLARED), max_size=4), st.dictionaries(st.sampled_from(["v0", "v1", "v2", "v3", "other"]), json, max_size=5)
)
def test_the_values_of_variables_are_graphql_cores(declared, values):
    written = ", ".join(f"$v{place}: {kind}" for place, kind in enumerate(declared))
    operation = parse(f"query {f'({written})' if written else ''} {{ echo }}").definitions[0]
    ours = Variables(SCHEMA, operation, hide_suggestions=True).coerce(values)
    theirs = get_variable_values(SCHEMA, operation.variable_definitions or (), values, max_errors=50, hide_suggestions=True)
    if isinstance(theirs, list):
        assert [each.message for each in ours] == [each.message for each in theirs]
    else:
        assert str(ours.coerced) == str(theirs.coerced)
        assert {name: type(each) for name, each in ours.coerced.items()} == {name: type(each) for name, each in theirs.coerced.items()}
        assert list(ours.sources) == list(theirs.sources)
        assert {name: str(each.signature.type) for name, each in ours.sources.items()} == {
            name: str(each.signature.type) for name, each in theirs.sources.items()
        }


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Size:
    width: int = 1


@strawberry.type
class Query:
    @strawberry.field
    def thing(
        self,
        camel_case: int | None = strawberry.UNSET,
        text: str | None = strawberry.UNSET,
        key: strawberry.ID | None = strawberry.UNSET,
        flag: bool | None = strawberry.UNSET,
        colour: Colour | None = strawberry.UNSET,
        price: Decimal | None = strawberry.UNSET,
        size: Size | None = strawberry.UNSET,
        many: list[int] | None = strawberry.UNSET,
        ratio: float | None = strawberry.UNSET,
        renamed: strawberry.Maybe[int | None] = None,
    ) -> str | None: ...

    @strawberry.field
    def needs(self, number: int, other: int = 3) -> str | None: ...


STRAWBERRY = strawberry.Schema(Query, execution_context_class=StrawberryGraphQLCoreExecutionContext)._schema
VARIABLES = "$i: Int, $s: String, $id: ID, $b: Boolean, $n: Int!"
VALUES = {"i": 1, "s": "a", "id": "x", "b": True, "n": 5}


def _plain(field, written):
    operation = parse(f"query ({VARIABLES}) {{ {field}{written} }}").definitions[0]
    node = operation.selection_set.selections[0]
    definition = STRAWBERRY.query_type.fields[field]
    converter = Converter.of(definition, STRAWBERRY)
    return variable_arguments(definition, node, converter), operation, node, definition, converter


@pytest.mark.parametrize(
    ("field", "written", "expected"),
    [
        ("thing", "", {}),
        ("thing", "(camelCase: $i)", {"camel_case": "i"}),
        ("thing", "(camelCase: $i, text: $s, key: $id, flag: $b)", {"camel_case": "i", "text": "s", "key": "id", "flag": "b"}),
        ("thing", "(camelCase: 3)", None),
        ("thing", "(camelCase: $i, colour: RED)", None),
        ("thing", "(size: {width: $i})", None),
        ("thing", "(many: $i)", None),
        ("thing", "(ratio: 1.5)", None),
        ("thing", "(renamed: $i)", None),
        ("needs", "(number: $n, other: $n)", {"number": "n", "other": "n"}),
    ],
)
def test_plain_arguments_are_variables_of_graphqls_own_types(field, written, expected):
    assert _plain(field, written)[0] == expected


def test_an_argument_with_a_default_that_is_left_out_is_not_plain():
    assert _plain("needs", "(number: $n)")[0] is None


@given(st.sets(st.sampled_from(["camelCase: $i", "text: $s", "key: $id", "flag: $b"])))
def test_plain_arguments_are_what_the_resolver_would_get(chosen):
    plain, operation, node, definition, converter = _plain("thing", f"({', '.join(sorted(chosen))})" if chosen else "")
    variables = Variables(STRAWBERRY, operation, hide_suggestions=True).coerce(VALUES)
    assert not isinstance(variables, GraphQLError)
    theirs = converter(coerce_arguments(definition, node, variables, hide_suggestions=True))
    assert {name: variables.coerced[variable] for name, variable in plain.items()} == theirs
