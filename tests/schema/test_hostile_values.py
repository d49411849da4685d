"""Tests every argument and every input field of every root field with hostile values: each gets a clear error, never a masked one.

Values that a CHECK would refuse must not reach PostgreSQL either, since it logs the whole row.
"""

from uuid import UUID

import asyncpg
import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLScalarType
from graphql.pyutils import Undefined
from strawberry.utils.str_converters import to_camel_case

from tests.graphql_school import SCHEMA
from tests.schema.plausible_ids import TABLES, plausible_ids

ROOTS = {"query": SCHEMA._schema.query_type.fields, "mutation": SCHEMA._schema.mutation_type.fields}
# What ends the session that asks, or looks at passwords, which is slow: tests/auth.
ELSEWHERE = {"signIn", "signOut", "changePassword", "resetPassword"}
FINE = {
    "ID": "stu_" + "0" * 32, "String": "x", "Int": 1, "Boolean": True, "Date": "2026-03-18", "DateTime": "2026-03-18T10:00:00Z",
    "Time": "10:00:00", "Decimal": "1", "UUID": "00000000-0000-7000-8000-000000000000", "BigInt": 1,
}  # fmt: skip
_TEXTS = [
    "", "a\0b", "x" * 70_000, "\u202e", "a\u202eb", "%_\\", "' OR 1=1 --", "\u3164", "\u2800", "\ud800", "a\ue000b", "a\U000e0fffb", "a\nb", "\x1b[2J",
    "e" + "\u0301" * 500,
]  # fmt: skip
HOSTILE = {
    "ID": ["", "stu_", "\0", "stu_" + "g" * 32, "stu_" + "0" * 31 + "٣", "x" * 70_000, "tea_" + "f" * 32, -1],
    "String": _TEXTS,
    "Int": [-(2**31), -1, 0, 2**31 - 1],
    "Boolean": [False],
    "Date": ["0001-01-01", "9999-12-31", "2026-02-30", "infinity", "2026-03-18\0", "20260318", "2026-W12-3", "２０２６-03-18", 20260318],
    "DateTime": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "2026-03-18T10:00:00", "now"],
    "Time": ["00:00:00", "23:59:59.999999", "24:00:00", "10:00:00+14:00"],
    "Decimal": [
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1e308",
        "1e-308",
        "9" * 300,
        "-1",
        "1e1000000",
        "1e999999999",
        "-1E-999999999",
        "0x10",
        "1_0",
        "１",
        " 1 ",
        "9" * 39,
        "0." + "0" * 37 + "1",
        2**70,
        True,
        1e300,
    ],
    "UUID": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "no"],
    "BigInt": [-(2**63), 2**63 - 1, 2**63, 10**40],
}


def fine(kind, ids, tag="stu"):
    """Returns a value that is valid GraphQL; for an id, an existing one with this tag."""
    if isinstance(kind, GraphQLNonNull):
        return fine(kind.of_type, ids, tag)
    if isinstance(kind, GraphQLList):
        return [fine(kind.of_type, ids, tag)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: fine(field.type, ids, tags(kind).get(name)) for name, field in kind.fields.items() if is_needed(field)}
    return ids.get(tag, FINE["ID"]) if kind.name == "ID" else FINE[kind.name]


def is_needed(field):
    return isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined


def tags(kind):
    """Returns the tags of the ids that an input's fields accept."""
    declared = kind.extensions["strawberry-definition"].fields
    return {to_camel_case(each.python_name.rstrip("_")): each.metadata["node"][0] for each in declared if "node" in each.metadata}


def hostile(kind, ids):
    """Values of a type, each hostile in one place."""
    if isinstance(kind, GraphQLNonNull):
        yield from hostile(kind.of_type, ids)
    elif isinstance(kind, GraphQLList):
        yield []
        yield [fine(kind.of_type, ids)] * 600
        for value in hostile(kind.of_type, ids):
            yield [value]
    elif isinstance(kind, GraphQLInputObjectType):
        whole = fine(kind, ids)
        for name, field in kind.fields.items():
            for value in [*hostile(field.type, ids), *([] if isinstance(field.type, GraphQLNonNull) else [None])]:
                yield {**whole, name: value}
    elif isinstance(kind, GraphQLScalarType):
        yield from HOSTILE[kind.name]


def selection(field):
    kind = field.type
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return " { __typename }" if hasattr(kind, "fields") or hasattr(kind, "types") else ""


def operations(operation, name, ids):
    """Yields a document for each argument, with the values to send."""
    field = ROOTS[operation][name]
    needed = {each for each, argument in field.args.items() if isinstance(argument.type, GraphQLNonNull)}
    for tried, argument in field.args.items():
        passed = sorted(needed | {tried})
        declared = ", ".join(f"${each}: {field.args[each].type}" for each in passed)
        query = f"{operation} ({declared}) {{ {name}({', '.join(f'{each}: ${each}' for each in passed)}){selection(field)} }}"
        others = {each: fine(field.args[each].type, ids) for each in passed if each != tried}
        for value in hostile(argument.type, ids):
            yield query, {**others, tried: value}


async def of_its_version(school, values, ids):
    """Sets the version in an update to the row's current one, whatever earlier updates have changed."""
    given = values.get("input")
    if not isinstance(given, dict) or given.get("version") != FINE["Int"] or given.get("id") not in ids.values():
        return values
    tag, _, digits = given["id"].partition("_")
    row = await school.database.fetchrow(f"SELECT * FROM {TABLES[tag]} WHERE id = $1", UUID(digits))
    return values if row is None or row.get("version") is None else {**values, "input": {**given, "version": row["version"]}}


@pytest.fixture
def refused_rows(monkeypatch):
    """Records the rows that PostgreSQL refuses because of a CHECK or a NOT NULL, on any connection. Errors of triggers contain no row."""
    refused = []

    def note(error, *arguments):
        Exception.__init__(error, *arguments)
        refused.append(error)

    for kind in (asyncpg.CheckViolationError, asyncpg.NotNullViolationError):
        monkeypatch.setattr(kind, "__init__", note)
    return lambda: [(each.constraint_name, each.column_name) for each in refused if (each.detail or "").startswith("Failing row")]


@pytest.mark.parametrize(
    ("operation", "name"), [(operation, name) for operation, fields in ROOTS.items() for name in sorted(fields) if name not in ELSEWHERE]
)
async def test_no_value_is_more_than_bad_input(writable, refused_rows, operation, name):
    ids = await plausible_ids(writable)
    for query, made in operations(operation, name, ids):
        values = await of_its_version(writable, made, ids)
        answer = await writable.ask(query, "admin@demo.school", **values)
        assert "INTERNAL_SERVER_ERROR" not in answer.codes, (values, answer.errors)
        if answer.errors:
            # Only a refresh token may be refused so: were the session of the one who asks gone, nothing after it would be tried.
            refusals = (
                {"UNAUTHENTICATED"}
                if name == "refreshSession"
                else {"BAD_USER_INPUT", "FORBIDDEN", "GRAPHQL_VALIDATION_FAILED", "CONFLICT"}
            )
            assert refusals >= set(answer.codes), (
                values,
                answer.errors,
            )
        assert not refused_rows(), values
