"""Every argument and every input field of every root field, with values that nobody should send: told off, never a masked error."""

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLScalarType

from tests.asking import SCHEMA

ROOTS = {"query": SCHEMA._schema.query_type.fields, "mutation": SCHEMA._schema.mutation_type.fields}
# What ends the session that asks, or looks at passwords, which is slow: tests/auth.
ELSEWHERE = {"signIn", "signOut", "changePassword", "resetPassword"}
FINE = {
    "ID": "stu_" + "0" * 32, "String": "x", "Int": 1, "Boolean": True, "Date": "2026-03-18", "DateTime": "2026-03-18T10:00:00Z",
    "Time": "10:00:00", "Decimal": "1", "UUID": "00000000-0000-7000-8000-000000000000", "BigInt": 1,
}  # fmt: skip
_TEXTS = ["", "a\0b", "x" * 70_000, "\u202e", "%_\\", "' OR 1=1 --"]
HOSTILE = {
    "ID": ["", "stu_", "\0", "stu_" + "g" * 32, "stu_" + "0" * 31 + "٣", "x" * 70_000, "tea_" + "f" * 32, -1],
    "String": _TEXTS,
    "Int": [-(2**31), -1, 0, 2**31 - 1],
    "Boolean": [False],
    "Date": ["0001-01-01", "9999-12-31", "2026-02-30", "infinity", "2026-03-18\0"],
    "DateTime": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "2026-03-18T10:00:00", "now"],
    "Time": ["00:00:00", "23:59:59.999999", "24:00:00", "10:00:00+14:00"],
    "Decimal": ["NaN", "sNaN", "Infinity", "-Infinity", "1e308", "1e-308", "9" * 300, "-1", "1e1000000", "0x10"],
    "UUID": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "no"],
    "BigInt": [-(2**63), 2**63 - 1, 2**63, 10**40],
}


def fine(kind):
    """Some value that is valid GraphQL."""
    if isinstance(kind, GraphQLNonNull):
        return fine(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [fine(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: fine(field.type) for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    return FINE[kind.name]


def hostile(kind):
    """Values of a type, each hostile in one place."""
    if isinstance(kind, GraphQLNonNull):
        yield from hostile(kind.of_type)
    elif isinstance(kind, GraphQLList):
        yield []
        yield [fine(kind.of_type)] * 600
        for value in hostile(kind.of_type):
            yield [value]
    elif isinstance(kind, GraphQLInputObjectType):
        whole = fine(kind)
        for name, field in kind.fields.items():
            for value in hostile(field.type):
                yield {**whole, name: value}
    elif isinstance(kind, GraphQLScalarType):
        yield from HOSTILE[kind.name]


def selection(field):
    kind = field.type
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return " { __typename }" if hasattr(kind, "fields") or hasattr(kind, "types") else ""


def operations(operation, name):
    """A document for each argument, with the values that it may be asked with."""
    field = ROOTS[operation][name]
    needed = {each for each, argument in field.args.items() if isinstance(argument.type, GraphQLNonNull)}
    for tried, argument in field.args.items():
        passed = sorted(needed | {tried})
        declared = ", ".join(f"${each}: {field.args[each].type}" for each in passed)
        query = f"{operation} ({declared}) {{ {name}({', '.join(f'{each}: ${each}' for each in passed)}){selection(field)} }}"
        others = {each: fine(field.args[each].type) for each in passed if each != tried}
        for value in hostile(argument.type):
            yield query, {**others, tried: value}


@pytest.mark.parametrize(
    ("operation", "name"), [(operation, name) for operation, fields in ROOTS.items() for name in sorted(fields) if name not in ELSEWHERE]
)
async def test_no_value_is_more_than_bad_input(writable, operation, name):
    for query, values in operations(operation, name):
        answer = await writable.ask(query, "admin@demo.school", **values)
        assert "INTERNAL_SERVER_ERROR" not in answer.codes, (values, answer.errors)
        if answer.errors:
            assert {"BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "GRAPHQL_VALIDATION_FAILED", "CONFLICT"} >= set(answer.codes), (
                values,
                answer.errors,
            )
