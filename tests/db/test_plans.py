"""Tests the plans of all statements on a school of a thousand students: none has a sequential scan of a large table.

This holds for custom plans, made with the parameters' values, and generic plans, which PostgreSQL may use from a statement's sixth execution on.
"""

import json
from typing import Any

import asyncpg
import pytest_asyncio

from auth.capabilities import NOUNS
from auth.viewer import Viewer
from auth.visible_ids import read_reach
from config import Settings
from db.pool import Database
from db.query_templates import QueryVariant
from db.sql_catalog import queries

LARGE = {"attendance", "grades", "payments", "payment_transactions", "assessments", "final_grades", "registers"}

# Values for the filters of lists over the whole school. Other filters are tested only in combinations (see NARROW).
VALUES: dict[str, str] = {
    "student_ids": "SELECT ARRAY[id] FROM students ORDER BY id LIMIT 1",
    "class_ids": "SELECT ARRAY[id] FROM classes WHERE is_active ORDER BY id LIMIT 1",
    "assessment_ids": "SELECT ARRAY[id] FROM assessments ORDER BY id LIMIT 1",
    "semester_ids": "SELECT ARRAY[id] FROM semesters WHERE is_current",
    "subject_ids": "SELECT ARRAY[id] FROM subjects ORDER BY code LIMIT 1",
    "on": "SELECT max(date) FROM registers",
    "record_ids": "SELECT ARRAY[record_id] FROM audit_logs LIMIT 1",
}
# Filters for which no index exists: each is tested together with the filter that a screen combines it with.
PAGES: list[tuple[str, str, dict[str, Any]]] = [
    ("attendance", "date", {}),
    ("attendance", "date", {"on": 1}),
    ("attendance", "date", {"on": 1, "fully_present": False}),
    ("attendance", "date", {"class_ids": 1}),
    ("attendance", "date", {"class_ids": 1, "on": 1}),
    ("attendance", "date", {"student_ids": 1}),
    ("attendance", "date", {"student_ids": 1, "fully_present": False}),
    ("grades", "assessment_date", {}),
    ("grades", "assessment_date", {"student_ids": 1}),
    ("grades", "assessment_date", {"student_ids": 1, "subject_ids": 1}),
    ("grades", "assessment_date", {"student_ids": 1, "semester_ids": 1}),
    ("grades", "assessment_date", {"assessment_ids": 1}),
    ("payments", "due_date", {}),
    ("payments", "due_date", {"student_ids": 1}),
    ("payments", "due_date", {"class_ids": 1}),
    ("payments", "due_date", {"class_ids": 1, "is_overdue": True}),
    ("payments", "due_date", {"is_overdue": True}),
    ("payments", "last_transaction_at", {}),
    ("payments", "last_transaction_at", {"student_ids": 1}),
    ("grades", "assessment_date", {"class_ids": 1}),
    ("grades", "percentage", {"class_ids": 1}),
    ("grades", "percentage", {"student_ids": 1}),
    ("grades", "percentage", {"assessment_ids": 1}),
    ("assessments", "assessment_date", {}),
    ("assessments", "assessment_date", {"class_ids": 1}),
    ("final_grades", "created_at", {}),
    ("final_grades", "created_at", {"student_ids": 1}),
    ("final_grades", "created_at", {"student_ids": 1, "semester_ids": 1}),
    ("final_grades", "created_at", {"student_ids": 1, "is_current": True}),
    ("final_grades", "created_at", {"class_ids": 1, "semester_ids": 1}),
    ("final_grades", "created_at", {"class_ids": 1, "is_current": True}),
    ("registers", "date", {}),
    ("registers", "submitted_at", {}),
    ("final_grades", "created_at", {"is_current": True}),
    ("final_grades", "created_at", {"is_current": False}),
    ("final_grades", "created_at", {"class_ids": 1}),
    ("audit_log", "created_at", {"record_ids": 1}),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def school(databases):
    url = databases.clone("school", "plans")
    connection = await asyncpg.connect(url)
    for table in LARGE:
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") > 1000, f"{table} is not large here, and proves nothing"
    yield connection, url
    await connection.close()
    databases.drop("plans")


async def scanned(connection, statement, arguments) -> set[str]:
    """Returns the large tables for which a statement's custom or generic plan has a sequential scan."""
    found = set()
    types = ", ".join(parameter.name for parameter in (await connection.prepare(statement.sql)).get_parameters())
    for mode in ("force_custom_plan", "force_generic_plan"):
        async with connection.transaction():
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            await connection.execute(f"PREPARE looked_at {f'({types})' if types else ''} AS {statement.sql}")
            literals = [await connection.fetchval("SELECT quote_nullable($1::text)", _literal(argument)) for argument in arguments]
            given = f"({', '.join(literals)})" if literals else ""
            plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{given}"))
            await connection.execute("DEALLOCATE looked_at")
        found |= set(_sequential(plan[0]["Plan"]))
    return found & LARGE


def _literal(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return "{" + ",".join(str(each) for each in value) + "}"
    return None if value is None else str(value)


def _sequential(node):
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", []):
        yield from _sequential(child)


async def values(connection):
    return {name: await connection.fetchval(sql) for name, sql in VALUES.items()}


async def test_the_lists_of_a_screen_scan_no_large_table(school):
    connection, _ = school
    known = await values(connection)
    everything = type("Everything", (), {"open": NOUNS})()
    for name, order, filters in PAGES:
        query = queries.__getattr__(name)
        for backward in (False, True):
            chosen = query.filter_keys(filters.items())
            statement = query.page(QueryVariant(order, descending=True, filters=chosen, backward=backward), NOUNS)
            arguments = statement.arguments(known | {"limit": 26}, everything)
            assert await scanned(connection, statement, arguments) == set(), (name, filters, backward)


async def test_a_page_far_in_costs_no_scan_either(school):
    connection, _ = school
    everything = type("Everything", (), {"open": NOUNS})()
    for name, order, value in (
        ("attendance", "date", "2026-01-20"),
        ("grades", "assessment_date", "2025-10-01"),
        ("payments", "due_date", "2025-10-01"),
        ("final_grades", "created_at", "2026-03-01 10:00:00+00"),
        ("payments", "last_transaction_at", "2025-10-01 00:00:00+00"),
        ("assessments", "assessment_date", "2025-10-01"),
        ("registers", "submitted_at", "2025-10-01 00:00:00+00"),
    ):
        statement = queries.__getattr__(name).page(QueryVariant(order, descending=True, after=True), NOUNS)
        arguments = statement.arguments({"limit": 26, "after_value": value, "after_id": "00000000-0000-0000-0000-000000000000"}, everything)
        assert await scanned(connection, statement, arguments) == set(), name


async def test_what_is_not_overdue_is_counted_with_one_look_at_the_clock(school):
    """Checks a scan of nearly all charges: evaluating the current day for each of them would take ten times as long."""
    connection, _ = school
    query = queries.payments
    statement = query.count(QueryVariant(filters=query.filter_keys([("is_overdue", False)])), NOUNS)
    lines = [line for (line,) in await connection.fetch(f"EXPLAIN {statement.sql}")]
    assert not any("Filter" in line and "school" in line for line in lines), lines
    assert any("InitPlan" in line for line in lines), lines


async def test_loaders_scan_no_large_table(school):
    connection, _ = school
    everything = type("Everything", (), {"open": NOUNS})()
    students = await connection.fetchval("SELECT array_agg(id) FROM (SELECT id FROM students LIMIT 20) AS s")
    for name, per, order in (
        ("grades", "student", "assessment_date"),
        ("attendance", "student", "date"),
        ("payments", "student", "due_date"),
        ("final_grades", "student", "created_at"),
    ):
        statement = queries.__getattr__(name).page(QueryVariant(order, descending=True, per=per), NOUNS)
        assert await scanned(connection, statement, statement.arguments({"limit": 6, "parents": students}, everything)) == set(), name
    for name in ("attendance", "grades", "final_grades", "payments", "payment_transactions", "assessments"):
        statement = queries.__getattr__(name).by("id", NOUNS)
        assert await scanned(connection, statement, [students]) == set(), name
    statement = queries.balances.statement(NOUNS)
    assert await scanned(connection, statement, statement.arguments({"keys": students}, everything)) == set()
    semester = await connection.fetchval("SELECT semester_id FROM final_grades LIMIT 1")
    for query, given in (
        (queries.final_grades_of_students, {"keys": students, "semester_id": semester}),
        (queries.final_grades_as_of, {"keys": students, "at": "2026-06-01 10:00:00+00"}),
    ):
        statement = query.statement(NOUNS)
        assert await scanned(connection, statement, statement.arguments(given, everything)) == set(), query.name
    classes = await connection.fetchval("SELECT array_agg(id) FROM (SELECT id FROM classes LIMIT 5) AS c")
    given = [("whole_day", True), ("from_date", "2026-02-01"), ("to_date", "2026-02-28")]
    filters = queries.attendance_totals.filter_keys(given)
    for per, parents in (("student", students), ("class", classes), (None, None)):
        for group in (None, "day", "month"):
            statement = queries.attendance_totals.totals(QueryVariant(filters=filters, per=per, group=group), NOUNS)
            arguments = statement.arguments({"parents": parents, **dict(given)}, everything)
            assert await scanned(connection, statement, arguments) == set(), (per, group)


async def test_what_people_with_links_see_scans_no_large_table(school):
    connection, url = school
    known = await values(connection)
    database = await Database.open(Settings(environment="test", pool_min_size=1), url)
    try:
        for role in ("teacher", "student", "guardian"):
            user = await database.fetchrow("SELECT id, role FROM users WHERE email = $1", f"{role}@demo.school")
            reach = await read_reach(database, Viewer(user["id"], user["role"]))
            for name, order, filters in PAGES:
                if name == "audit_log" or not filters:
                    continue
                query = queries.__getattr__(name)
                statement = query.page(QueryVariant(order, descending=True, filters=query.filter_keys(filters.items())), reach.open)
                arguments = statement.arguments(known | {"limit": 26}, reach)
                assert await scanned(connection, statement, arguments) == set(), (role, name, filters)
    finally:
        await database.close()


async def test_an_object_by_its_id_is_not_planned_anew_for_each_request(school):
    """Checks this because PostgreSQL assumes ten keys in an array, and for one key would make a custom plan each time, which is slower."""
    connection, _ = school
    for query in (queries.students, queries.classes, queries.users):
        statement = query.by("id", NOUNS, single=True)
        prepared = await connection.prepare(statement.sql)
        key = await connection.fetchval(f"SELECT id FROM {query.name} LIMIT 1")
        for _ in range(8):
            assert len(await prepared.fetch(key)) == 1
        row = await connection.fetchrow(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1", statement.sql
        )
        assert row["generic_plans"] >= 2, (query.name, dict(row))
