"""Tests that PostgreSQL serialises values as Python would, and that values for which it would not are left to Python."""

import json
from decimal import Decimal

import asyncpg
import pytest

from db.json_sql import IRREGULAR, KeySource, object_sql
from db.rows import Row
from db.sql_catalog import queries
from json_tree import JsonLeaf, json_object

DECIMALS = [
    "0",
    "0.00",
    "-1.50",
    "87.123456789012",
    "0.000001",
    "0.0000010",
    "123456789012345678901234567890",
    "1000000",
    "NaN",
    "-Infinity",
]
# Python's str() uses an exponent for these.
LEFT = ["0.0000001", "0.0000000", "-0.00000099"]


async def _written(database_url, kind, sql_type, value, *, nullable=False):
    """Returns the JSON of a value in a column of this type."""
    source = KeySource(queries.students, "id", Row)
    expression = object_sql(json_object(source, (JsonLeaf("v", ("v",), kind, nullable),)), "r")
    connection = await asyncpg.connect(database_url, server_settings={"timezone": "UTC"})
    try:
        return await connection.fetchval(f"SELECT {expression} FROM (SELECT $1::text::{sql_type} AS v) AS r", value)
    finally:
        await connection.close()


@pytest.mark.parametrize("number", DECIMALS)
async def test_a_decimal_is_written_as_python_writes_it(database_url, number):
    assert json.loads(await _written(database_url, "decimal", "numeric", number)) == {"v": str(Decimal(number))}


@pytest.mark.parametrize(
    ("kind", "sql_type", "value"),
    [
        *(("decimal", "numeric", each) for each in LEFT),
        ("int", "bigint", "2147483648"),
        ("int", "bigint", "-2147483649"),
        ("date", "date", "infinity"),
        ("date", "date", "10000-01-01"),
        ("date", "date", "0044-03-15 BC"),
        ("datetime", "timestamptz", "infinity"),
        ("datetime", "timestamptz", "10000-01-01 00:00:00+00"),
        ("time", "time", "24:00"),
    ],
)
@pytest.mark.parametrize("nullable", [False, True])
async def test_what_python_writes_otherwise_or_not_at_all_is_irregular(database_url, kind, sql_type, value, nullable):
    assert await _written(database_url, kind, sql_type, value, nullable=nullable) == IRREGULAR


@pytest.mark.parametrize(
    ("kind", "sql_type"),
    [
        ("text", "text"),
        ("int", "integer"),
        ("bigint", "bigint"),
        ("boolean", "boolean"),
        ("date", "date"),
        ("datetime", "timestamptz"),
        ("time", "time"),
        ("decimal", "numeric"),
        ("uuid", "uuid"),
        ("global_id", "uuid"),
    ],
)
async def test_nothing_is_null_where_it_may_be_and_irregular_where_it_may_not(database_url, kind, sql_type):
    assert json.loads(await _written(database_url, kind, sql_type, None, nullable=True)) == {"v": None}
    assert await _written(database_url, kind, sql_type, None) == IRREGULAR
