"""Tests errors as clients see them: expected ones have codes, the client's mistakes are explained, all others are masked."""

from typing import NewType

import pytest
import strawberry
from graphql import GraphQLError, execute, parse, validate
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.errors import ErrorWriter, Refusal


def _odd(value: object) -> str:
    if value == "broken":
        raise KeyError("the secret ingredient")
    if value == "refused":
        raise Refusal("TEAPOT", "No.")
    raise ValueError("not odd")


Odd = NewType("Odd", str)


@strawberry.input
class Input:
    number: int = 3


class BrokenError(Exception):
    pass


@strawberry.type
class Query:
    @strawberry.field
    def plain(self, number: int = 3, odd: Odd | None = None, given: Input | None = None) -> int:
        return 1

    @strawberry.field
    def refused(self) -> int:
        raise Refusal("NOT_FOUND", "No such thing.", field="id")

    @strawberry.field
    def translated(self) -> int:
        raise BrokenError("the secret ingredient")

    @strawberry.field
    def unforeseen(self) -> int:
        raise RuntimeError("the secret ingredient")

    @strawberry.field
    def caused(self) -> int:
        try:
            raise Refusal("NOT_FOUND", "the secret ingredient")
        except Refusal as refusal:
            raise RuntimeError("the secret ingredient") from refusal

    @strawberry.field
    def wrong_type(self) -> int:
        return "the secret ingredient"  # type: ignore[return-value]

    @strawberry.field
    def missing(self) -> int:
        return None  # type: ignore[return-value]

    @strawberry.field
    def coded(self) -> int:
        raise GraphQLError("Told.", extensions={"code": "TOLD", "more": 1})

    @strawberry.field
    def uncoded(self) -> int:
        raise GraphQLError("the secret ingredient")


SCALARS = {Odd: strawberry.scalar(name="Odd", parse_value=_odd, serialize=str)}
SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))._schema
WRITER = ErrorWriter(lambda error: Refusal("POOL_TIMEOUT", "Busy.", retryAfter=1) if isinstance(error, BrokenError) else None)


def asked(query, **variables):
    """Returns the only error of an operation, as clients get it."""
    document = parse(query)
    invalid = validate(SCHEMA, document)
    if invalid:
        return WRITER.write(invalid[0], "r1", code="GRAPHQL_VALIDATION_FAILED")
    result = execute(SCHEMA, document, variable_values=variables, executor_class=StrawberryGraphQLCoreExecutionContext)
    [written] = WRITER.write_all(result.errors, "r1")
    return written


def test_a_refusal_says_all_of_itself():
    assert asked("{ refused }") == {
        "message": "No such thing.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["refused"],
        "extensions": {"code": "NOT_FOUND", "field": "id"},
    }


def test_another_rooms_exception_is_the_refusal_it_stands_for():
    assert asked("{ translated }")["extensions"] == {"code": "POOL_TIMEOUT", "retryAfter": 1}


def test_an_error_with_a_code_is_told():
    written = asked("{ coded }")
    assert (written["message"], written["extensions"]) == ("Told.", {"code": "TOLD", "more": 1})


@pytest.mark.parametrize("field", ["unforeseen", "caused", "wrongType", "missing", "uncoded"])
def test_what_nobody_foresaw_is_masked_and_logged_under_its_id(field, capsys):
    written = asked(f"{{ {field} }}")
    assert written["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert written["path"] == [field]
    assert "secret" not in str(written)
    assert "null" not in written["message"]
    logged = capsys.readouterr().out
    assert written["extensions"]["id"] in logged
    assert "r1" in logged
    assert "secret ingredient" in logged or "Cannot return null" in logged


def test_every_masked_error_has_an_id_of_its_own(capsys):
    assert asked("{ unforeseen }")["extensions"]["id"] != asked("{ unforeseen }")["extensions"]["id"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($n: Int!) { plain(number: $n) }", {"n": "x"}),
        ("query ($n: Int!) { plain(number: $n) }", {}),
        ("query ($n: Int! = 3) { plain(number: $n) }", {"n": None}),
        ("query ($i: Input) { plain(given: $i) }", {"i": {"wrong": 1}}),
        ("query ($o: Odd) { plain(odd: $o) }", {"o": "even"}),
        # These errors are found while the field runs, and are located at a value instead of the field.
        ("query ($n: Int = 3) { plain(number: $n) }", {"n": None}),
        ("query ($n: Int = 3) { plain(given: {number: $n}) }", {"n": None}),
    ],
)
def test_a_value_that_does_not_fit_is_the_clients_to_know(query, variables):
    written = asked(query, **variables)
    assert written["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "$" in written["message"]


@pytest.mark.parametrize("query", ['{ plain(odd: "broken") }', "query ($o: Odd) { plain(odd: $o) }"])
def test_a_scalar_that_breaks_is_masked_like_anything_else(query, capsys):
    written = asked(query, o="broken")
    assert written["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in str(written)
    assert "secret" in capsys.readouterr().out


def test_a_scalar_may_refuse():
    assert asked("query ($o: Odd) { plain(odd: $o) }", o="refused")["extensions"] == {"code": "TEAPOT"}


def test_a_documents_own_mistakes_have_the_code_of_their_step():
    assert asked("{ nothing }")["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert asked('{ plain(odd: "even") }')["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
