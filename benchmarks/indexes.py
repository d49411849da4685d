"""Measures the benefit and the cost of the indexes, against their goals: reads 10-100 times faster, writes 5-10 % slower, storage +15-25 %.

    python -m benchmarks.indexes

Two copies of the district school on one server are measured alternately, A B A B: with and without the indexes of migration 018 and of later
migrations that create only indexes. Both have the tables' keys and constraints with their indexes, and the triggers of all migrations, so that the
figures show what the additional indexes contribute.
"""

import asyncio
import json
import re
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
from psycopg import sql

from auth.capabilities import NOUNS
from benchmarks.database_urls import with_database
from benchmarks.district_school import SEED_DATE, district
from benchmarks.index_writes import write_lines
from db.migrate import FOLDER
from db.query_compiler import Query, Statement
from db.query_templates import QueryVariant
from db.sql_catalog import queries

__all__ = ["main"]

ROUNDS = 9
_REPORT = Path(__file__).parent.parent / "docs" / "bench-indexes.md"
_SIZES = _REPORT.with_name("index-sizes.json")
_BARE = "rollcall_bench_bare"
# Indexes that enforce a rule are created with their table.
_MADE = re.compile(r"^CREATE INDEX CONCURRENTLY(?: IF NOT EXISTS)? (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Read:
    """Describes a query that the GraphQL resolvers run, and how to find its arguments for the n-th round."""

    name: str
    statement: Statement
    arguments: Callable[[dict[str, Any], int], dict[str, Any]]


def page(query: Query, order: str, *, descending: bool = True, **filters: Any) -> Statement:
    return query.page(QueryVariant(order, descending, query.filter_keys(filters.items())), NOUNS)


def reads() -> list[Read]:
    def many(**values: Any) -> Callable[[dict[str, Any], int], dict[str, Any]]:
        return lambda found, n: {name: value(found, n) if callable(value) else value for name, value in {"limit": 101, **values}.items()}

    def of(kind: str) -> Callable[[dict[str, Any], int], Any]:
        return lambda found, n: [found[kind][n % len(found[kind])]]

    def one(kind: str) -> Callable[[dict[str, Any], int], Any]:
        return lambda found, n: found[kind][n % len(found[kind])]

    return [
        Read(
            "a student's grades in a semester",
            page(queries.grades, "assessment_date", student_ids=1, semester_ids=1),
            many(student_ids=of("students"), semester_ids=of("semesters")),
        ),
        Read(
            "a class's attendance on a day",
            page(queries.attendance, "date", class_ids=1, on=1),
            many(class_ids=of("classes"), on=one("days")),
        ),
        Read("the school's absences on a day", page(queries.attendance, "date", on=1, fully_present=False), many(on=one("days"))),
        Read("a class's overdue payments", page(queries.payments, "due_date", class_ids=1, is_overdue=True), many(class_ids=of("classes"))),
        Read(
            "last-name prefix, case-insensitive",
            page(queries.users, "name", descending=False, last_name_prefix=1),
            many(last_name_prefix=one("prefixes")),
        ),
        Read(
            "students by name prefix, accents aside",
            page(queries.students, "name", descending=False, name_prefix=1),
            many(name_prefix=one("prefixes")),
        ),
        Read("sign-in by e-mail", page(queries.users, "name", email=1), many(email=one("emails"))),
        Read("a teacher's classes", page(queries.classes, "grade_level", teacher_ids=1), many(teacher_ids=of("teachers"))),
        Read("what a teacher teaches", page(queries.class_subjects, "created_at", teacher_ids=1), many(teacher_ids=of("teachers"))),
        Read(
            "audit of a record",
            page(queries.audit_log, "created_at", record_ids=1, tables=1),
            many(record_ids=of("records"), tables=["grades"]),
        ),
        Read("an assessment's grades", page(queries.grades, "assessment_date", assessment_ids=1), many(assessment_ids=of("assessments"))),
        Read(
            "a charge's movements",
            queries.payment_transactions.page(QueryVariant("occurred_at", per="payment"), NOUNS),
            many(parents=of("payments")),
        ),
        Read("the first page of students", page(queries.students, "name", descending=False), many()),
    ]


SAMPLES = {
    "students": "SELECT id FROM students WHERE is_active ORDER BY md5(id::text) LIMIT 40",
    "classes": "SELECT id FROM classes WHERE is_active ORDER BY md5(id::text) LIMIT 40",
    "teachers": "SELECT id FROM teachers ORDER BY md5(id::text) LIMIT 40",
    "semesters": "SELECT id FROM semesters WHERE start_date <= $1 ORDER BY start_date DESC LIMIT 2",
    "days": "SELECT date FROM registers GROUP BY date ORDER BY md5(date::text) LIMIT 40",
    "prefixes": "SELECT DISTINCT left(lower(last_name), 4) FROM users ORDER BY 1 LIMIT 40",
    "emails": "SELECT email FROM users WHERE email IS NOT NULL ORDER BY md5(id::text) LIMIT 40",
    "records": "SELECT record_id FROM audit_logs WHERE table_name = 'grades' ORDER BY md5(id::text) LIMIT 40",
    "assessments": "SELECT id FROM assessments ORDER BY md5(id::text) LIMIT 40",
    "payments": "SELECT id FROM payments ORDER BY md5(id::text) LIMIT 40",
}


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def measure(with_them: str, without: str) -> list[str]:
    indexed, bare = await asyncpg.connect(with_them, command_timeout=600), await asyncpg.connect(without, command_timeout=600)
    try:
        for connection in (indexed, bare):
            await connection.execute("SET jit = off")
        found: dict[str, Any] = {}
        for kind, statement in SAMPLES.items():
            rows = await indexed.fetch(statement, *([SEED_DATE] if "$1" in statement else []))
            found[kind] = [row[0] for row in rows]
        lines = ["| read | without, ms | with, ms | times faster |", "|---|---|---|---|"]
        for read in reads():
            figures: dict[str, list[float]] = {"with": [], "without": []}
            for n in range(-1, ROUNDS):  # the first round warms up
                values = read.arguments(found, n)
                arguments = [values[name] for name in read.statement.parameters]
                for name, connection in (("without", bare), ("with", indexed)):
                    seconds = await timed(partial(connection.fetch, read.statement.sql, *arguments))
                    if n >= 0:
                        figures[name].append(seconds * 1000)
            before, after = statistics.median(figures["without"]), statistics.median(figures["with"])
            lines.append(f"| {read.name} | {before:.2f} | {after:.2f} | {before / after:.1f} |")
            print(lines[-1], flush=True)
        lines += ["", *await write_lines(with_them, without, ROUNDS)]
        sizes = "SELECT sum(pg_table_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        [(tables, keys)] = await bare.fetch(sizes)
        [(_, indexes)] = await indexed.fetch(sizes)
        added = indexes - keys
        lines += [
            "",
            "| storage | MB |",
            "|---|---|",
            f"| tables | {tables / 1e6:.0f} |",
            f"| indexes of keys and constraints | {keys / 1e6:.0f} |",
            f"| indexes for speed | {added / 1e6:.0f} |",
            f"| they add to the tables | {added / tables:+.0%} |",
            f"| they add to the tables and their keys | {added / (tables + keys):+.0%} |",
        ]
        return lines
    finally:
        await indexed.close()
        await bare.close()


def copy_without(url: str) -> str:
    """Yields a copy of the school on the same server, without the indexes that exist only for speed."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_BARE)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(_BARE), sql.Identifier(str(parts["dbname"])))
        )
    without = with_database(url, _BARE)
    made = [
        name for file in sorted(FOLDER.glob("*.sql")) if not file.name.endswith(".rollback.sql") for name in _MADE.findall(file.read_text())
    ]
    with psycopg.connect(without, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(", ").join(map(sql.Identifier, made))))
    for each in (url, without):
        with psycopg.connect(each, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
    return without


def index_sizes(url: str) -> dict[str, int]:
    """Returns the size in bytes of each index of the school."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT c.relname, pg_relation_size(c.oid) FROM pg_class c WHERE c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return dict(found.fetchall())


def main() -> None:
    with district() as url:
        without = copy_without(url)
        sizes = index_sizes(url)
        try:
            lines = asyncio.run(measure(url, without))
        finally:
            with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_BARE)))
    _SIZES.write_text(
        json.dumps({"measured": datetime.now().astimezone().date().isoformat(), "bytes": sizes}, indent=1) + "\n", encoding="utf-8"
    )
    heading = [
        "# What the indexes bring and cost",
        "",
        f"Measured by `make bench-indexes` on {datetime.now().astimezone().date().isoformat()}: the district school, two copies of it on one server in turns, medians of {ROUNDS} rounds.",
        "Those of migrations 018, 029, 030 and 031; the copy without them has the keys and constraints of its tables.",
        "",
    ]
    _REPORT.write_text("\n".join([*heading, *lines]) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
