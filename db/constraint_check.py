"""Finds all constraints that a row would violate, using the database's catalog. PostgreSQL itself reports only the first one.

Rules in triggers are not checked here; they are reported when a write fails because of them.
"""

import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

from db.constraint_messages import CONSTRAINTS, INTERNAL, foreign_key
from db.errors import DomainError, required

__all__ = ["constraint_violations", "numeric_decimals", "violates_checks"]

_CHECKS = """
SELECT conname AS name, pg_get_expr(conbin, conrelid) AS expression FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c' ORDER BY conname
"""
_REQUIRED = """
SELECT attname AS name FROM pg_attribute a
WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attnotnull AND attgenerated = '' AND attidentity = ''
    AND (NOT atthasdef OR $2) AND attname <> 'id'
ORDER BY attnum
"""
# A unique key's columns may be expressions, and it may hold for some rows only.
_KEYS = """
SELECT c.relname AS name, array_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k) AS columns, pg_get_expr(i.indpred, i.indrelid) AS condition,
    i.indnullsnotdistinct AS nulls_are_equal
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid, generate_series(1, i.indnkeyatts) AS k
WHERE i.indrelid = $1::regclass AND i.indisunique AND NOT i.indisprimary
GROUP BY c.relname, i.indpred, i.indrelid, i.indnullsnotdistinct ORDER BY c.relname
"""
_LINKS = """
SELECT con.conname AS name, a.attname AS column, con.confrelid::regclass::text AS target FROM pg_constraint con
JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = con.conkey[1]
WHERE con.conrelid = $1::regclass AND con.contype = 'f' AND cardinality(con.conkey) = 1 ORDER BY con.conname
"""
_EXCLUSIONS = """
SELECT con.conname AS name, array_agg(pg_get_indexdef(con.conindid, k, true) ORDER BY k) AS columns, array_agg(o.oprname::text ORDER BY k) AS operators
FROM pg_constraint con, generate_series(1, cardinality(con.conexclop)) AS k JOIN pg_operator o ON true
WHERE con.conrelid = $1::regclass AND con.contype = 'x' AND o.oid = con.conexclop[k] GROUP BY con.conname ORDER BY con.conname
"""
# The lower half of the modifier, less its header, are the decimals.
_DECIMALS = """
SELECT attname AS name, (atttypmod - 4) & 2047 AS decimals FROM pg_attribute
WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND atttypid = 'numeric'::regtype AND atttypmod >= 4
"""
_RANGE = re.compile(r"range\(.*?\b((?:start|from)_[a-z]+).*?\b((?:end|to)_[a-z]+)")
_KEY_CLASH = """
EXISTS (
    SELECT FROM (SELECT id, {columns} FROM {table} WHERE {condition}) AS o, (SELECT {columns} FROM candidate WHERE {condition}) AS n
    WHERE o.id <> candidate.id AND {same}
)
"""


# By table, and whether the row is new.
_known: dict[tuple[str, bool], str] = {}
_checks: dict[tuple[str, bool], str] = {}
_decimals: dict[str, dict[str, int]] = {}


async def numeric_decimals(connection: Any, table: str) -> dict[str, int]:
    """Returns the number of decimals of each numeric column of `table` (a trusted name)."""
    if table not in _decimals:
        _decimals[table] = {row["name"]: row["decimals"] for row in await connection.fetch(_DECIMALS, table)}
    return _decimals[table]


async def constraint_violations(connection: Any, table: str, row: str, row_id: UUID | None) -> list[DomainError]:
    """Returns the rules of `table` (a trusted name) that a new row (`row_id` None) or a changed row would violate.

    `row` is a JSON object with the values to write; defaults or the stored values complete it.
    """
    known = _known.get((table, row_id is None))
    if known is None:
        known = _known[table, row_id is None] = await _compile(connection, table, new=row_id is None)
    broken = [each["name"] for each in await connection.fetch(known, row, row_id)]
    found: list[DomainError] = []
    for name in broken:
        if name.startswith("?"):
            found.append(required(name[1:]))
        elif name not in INTERNAL:
            rule = CONSTRAINTS.get(name) or foreign_key(name, table)
            if rule is not None:
                found.append(DomainError(*rule))
    return list(dict.fromkeys(found))


async def violates_checks(connection: Any, table: str, columns: Collection[str], row: str, row_id: UUID | None) -> bool:
    """Returns whether a new row (`row_id` None) or a changed one breaks a CHECK of `table`, or has NULL in one of the writable `columns`.

    This is checked before the row is written, because PostgreSQL puts a row that breaks a CHECK or a NOT NULL into its log, whole. Other rules name a key at most.
    """
    sql = _checks.get((table, row_id is None))
    if sql is None:
        rules = await _row_rules(connection, table, new=row_id is None)
        sql = _checks[table, row_id is None] = await _statement(connection, table, rules, new=row_id is None)
    broken = [each["name"] for each in await connection.fetch(sql, row, row_id)]
    return any(name[1:] in columns if name.startswith("?") else name not in INTERNAL for name in broken)


async def _row_rules(connection: Any, table: str, *, new: bool) -> list[tuple[str, str]]:
    """Returns the rules that concern a single row, as (name, SQL condition that is true if the rule is violated)."""
    rules = [(f"?{each['name']}", f"candidate.{each['name']} IS NULL") for each in await connection.fetch(_REQUIRED, table, not new)]
    checks = await connection.fetch(_CHECKS, table)
    # A check that evaluates to NULL is not violated.
    return rules + [(each["name"], f"(SELECT ({each['expression']}) IS FALSE FROM (SELECT candidate.*) AS {table})") for each in checks]


async def _compile(connection: Any, table: str, *, new: bool) -> str:
    rules = await _row_rules(connection, table, new=new)
    for key in await connection.fetch(_KEYS, table):
        named = ", ".join(f"{column} AS k{n}" for n, column in enumerate(key["columns"]))
        equals = "IS NOT DISTINCT FROM" if key["nulls_are_equal"] else "="
        same = " AND ".join(f"o.k{n} {equals} n.k{n}" for n in range(len(key["columns"])))
        rules.append((key["name"], _KEY_CLASH.format(columns=named, table=table, condition=key["condition"] or "true", same=same)))
    for exclusion in await connection.fetch(_EXCLUSIONS, table):
        named = ", ".join(f"{column} AS k{n}" for n, column in enumerate(exclusion["columns"]))
        same = " AND ".join(f"o.k{n} {operator} n.k{n}" for n, operator in enumerate(exclusion["operators"]))
        # A range with reversed ends raises an error when it is constructed; another rule reports that.
        ends = _RANGE.search(named)
        ordered = f"candidate.{ends[1]} <= coalesce(candidate.{ends[2]}, candidate.{ends[1]})" if ends else "true"
        clash = _KEY_CLASH.format(columns=named, table=table, condition="true", same=same)
        rules.append((exclusion["name"], f"CASE WHEN {ordered} THEN {clash} ELSE false END"))
    for link in await connection.fetch(_LINKS, table):
        column = link["column"]
        rules.append(
            (
                link["name"],
                f"candidate.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {link['target']} AS x WHERE x.id = candidate.{column})",
            )
        )
    return await _statement(connection, table, rules, new=new)


async def _statement(connection: Any, table: str, rules: list[tuple[str, str]], *, new: bool) -> str:
    """Returns a statement that yields the names of the violated rules: $1 is the row as JSON, $2 its id (NULL for a new row)."""
    broken = " UNION ALL ".join(
        f"SELECT {n} AS place, '{name}' AS name FROM candidate WHERE {condition}" for n, (name, condition) in enumerate(rules)
    )
    source = (
        f"SELECT (jsonb_populate_record(NULL::{table}, {await _defaults(connection, table)} || $1::text::jsonb)).*"
        if new
        else f"SELECT (jsonb_populate_record(t, $1::text::jsonb)).* FROM {table} AS t WHERE t.id = $2"
    )
    identified = "SELECT * FROM made" if not new else "SELECT * FROM made WHERE $2::uuid IS NULL"
    return f"WITH made AS MATERIALIZED ({source}), candidate AS MATERIALIZED ({identified}) SELECT name FROM ({broken}) AS broken ORDER BY place"


async def _defaults(connection: Any, table: str) -> str:
    """Returns an SQL expression for a JSON object with the defaults of the table's columns."""
    rows = await connection.fetch(
        "SELECT a.attname AS name, pg_get_expr(d.adbin, d.adrelid) AS expression FROM pg_attrdef d"
        " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = $1::regclass AND a.attgenerated = ''",
        table,
    )
    pairs = ", ".join(f"'{row['name']}', {row['expression']}" for row in rows)
    return f"jsonb_build_object({pairs})"
