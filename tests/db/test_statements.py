"""Tests every statement, in every form to which it can be compiled, against the migrated database."""

import re

import asyncpg
import pytest

from auth.capabilities import NOUNS
from db.connections import is_read_only
from db.json_sql import PageSource
from db.query_templates import QueryVariant
from db.rows import Row
from db.sql_catalog import queries
from json_tree import JsonLeaf, json_object
from tests.db.all_statements import all_statements


async def test_every_statement_in_every_form_can_be_prepared(database_url):
    connection = await asyncpg.connect(database_url, statement_cache_size=0)
    try:
        count = 0
        for variant in (*all_statements(frozenset()), *all_statements(NOUNS)):
            try:
                await connection.prepare(variant.statement.sql)
            except asyncpg.PostgresError as error:
                pytest.fail(f"{variant}: {error}\n{variant.statement.sql}")
            count += 1
        assert count > 1_000
    finally:
        await connection.close()


async def test_every_column_can_be_fetched_alone(database_url):
    """Checks each column alone, together with the id, and the id alone."""
    connection = await asyncpg.connect(database_url, statement_cache_size=0)
    try:
        count = 0
        for query in queries:
            for key in query.keys:
                prepared = await connection.prepare(query.by(key, NOUNS).sql)
                names = [each.name for each in prepared.get_attributes()]
                for columns in (frozenset[str](), *(frozenset((name,)) for name in names)):
                    narrow = await connection.prepare(query.by(key, NOUNS, columns).sql)
                    got = {each.name for each in narrow.get_attributes()}
                    assert got == columns | ({"id"} & set(names)), query.name
                    count += 1
            if query.is_page:
                order = next(iter(query.orders))
                narrow = await connection.prepare(query.page(QueryVariant(order), NOUNS, frozenset(("cursor_value",))).sql)
                assert [each.name for each in narrow.get_attributes()] == ["id", "cursor_value"]
                plain = await connection.prepare(query.page(QueryVariant(order), NOUNS, frozenset()).sql)
                assert [each.name for each in plain.get_attributes()] == ["id"]
        assert count > 150
    finally:
        await connection.close()


async def test_every_statement_can_have_its_rows_written(database_url):
    connection = await asyncpg.connect(database_url, statement_cache_size=0)
    try:
        for query in queries:
            if not query.is_page and not query.keys:
                continue
            leaves = tuple(JsonLeaf(name, (name,), "text", nullable=True) for name in sorted(query.columns()))
            tree = json_object(PageSource(query, None, Row), leaves)
            alone = (False, True)
            statements = [
                query.json_by(key, tree, nouns, single=single) for key in query.keys for nouns in (frozenset(), NOUNS) for single in alone
            ]
            statements += [query.by(key, frozenset(), single=True) for key in query.keys]
            if query.is_page:
                order = next(iter(query.orders))
                statements += [query.json_page(QueryVariant(order, per=per), tree, frozenset()) for per in (None, *query.parents)]
            for statement in statements:
                try:
                    await connection.prepare(statement.sql)
                except asyncpg.PostgresError as error:
                    pytest.fail(f"{query.name}: {error}\n{statement.sql}")
    finally:
        await connection.close()


def test_every_statement_says_what_it_is_for():
    for query in queries:
        assert query.purpose.endswith((".", "?")), query.name
        assert len(query.purpose) >= 8, query.name


_RULED = {"students", "guardians", "attendance", "grades", "payments", "final_grades"}
_READS = re.compile(r"\b(?:FROM|JOIN|USING)\s+(?:ONLY\s+|LATERAL\s+)?\(?\s*(?P<table>[a-z_]+)\b", re.IGNORECASE)
_ALL_MONEY = "for mutations of whom may write all charges"
_ALL_SCHOOL = "for mutations of administrators"
_THEIR_CLASS = "for mutations of a class's teachers: whether it is theirs is looked at first"
WITHOUT_A_RULE = {
    "reach_of_user": "finds out what the viewer reaches",
    "class_standing": "ranks a class; the resolver shows a student's own place and how many have one",
    "members_in_semester": "a membership is seen by its own rule, and tells no more of a student than the id",
    "grade_reopenings": "counts marks, for administrators: nobody else sees a reopening",
    "lock_charge": _ALL_MONEY,
    "lock_charges": _ALL_MONEY,
    "class_to_charge": _ALL_MONEY,
    "school_to_charge": _ALL_MONEY,
    "category_to_charge": _ALL_MONEY,
    "charge_candidates": _ALL_MONEY,
    "gateway_payment": _ALL_MONEY,
    "lock_student": _ALL_SCHOOL,
    "lock_guardian": _ALL_SCHOOL,
    "marks_since": _ALL_SCHOOL,
    "promotion_members": _ALL_SCHOOL,
    "hold_students": "locks what is read by other statements, and tells nothing of it",
    "marks_with_ids": "whether a client's own id is taken, wherever",
    "mark_attendance": _THEIR_CLASS,
    "graded_not_in_class_on": _THEIR_CLASS,
    "grades_of_assessment": _THEIR_CLASS,
    "record_grades": _THEIR_CLASS,
    "assessments_against_posting": _THEIR_CLASS,
    "marks_to_post": _THEIR_CLASS,
}


def tables_read_without_their_rule(query):
    """Returns the tables with a visibility rule that a statement reads without using the rule."""
    asked = {noun.split(".")[0] for noun in query.nouns()}
    return {match["table"] for match in _READS.finditer(query.body)} & _RULED - asked


def test_every_tables_statements_ask_who_may_see():
    """Checks that a statement on a table with a visibility rule uses the rule or has a reason not to, and that only such statements have reasons."""
    found = {query.name: tables for query in queries if (tables := tables_read_without_their_rule(query))}
    assert found.keys() == WITHOUT_A_RULE.keys(), found


def test_a_table_is_noticed_wherever_it_is_read(tmp_path):
    from db.sql_catalog import Queries

    bodies = [
        "SELECT 1 FROM grades g",
        "SELECT 1\nFROM grades\nWHERE true",
        "SELECT (SELECT count(*) FROM grades g)",
        "SELECT 1 FROM assessments a LEFT JOIN grades g ON true",
        "SELECT 1 FROM (grades g JOIN assessments a ON true)",
        "WITH gone AS (DELETE FROM assessments a USING grades g RETURNING 1) SELECT 1 FROM gone",
    ]
    for n, body in enumerate(bodies):
        (tmp_path / f"{n}.sql").write_text(f"-- name: s{n}\n-- A statement.\n{body}\n")
    assert [tables_read_without_their_rule(query) for query in Queries(tmp_path)] == [{"grades"}] * len(bodies)


def test_no_statement_leaves_session_state_behind():
    """Checks the first word of each entry, which can only be prepared if it is one statement, and the functions that it calls."""
    for query in queries:
        sql = query.body.lstrip()
        assert re.match(r"\W*(\w+)", sql)[1] in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, query.name
        assert not re.search(r"\bset_config\(|\bpg_(try_)?advisory_lock|\bsetseed\(|\bdblink_connect", sql, re.IGNORECASE), query.name


def test_what_begins_with_select_only_reads():
    """Checks this because a SELECT is repeated if its connection was lost. Row locks are harmless, since they end with their statement."""
    writes = r"\b(INSERT INTO|UPDATE [a-z_]+ SET|DELETE FROM|MERGE INTO)\b|\b(set_config|nextval|setval|pg_notify|pg_(try_)?advisory\w+|lo_\w+)\("
    reads = [query for query in queries if is_read_only(query.statement().sql)]
    assert len(reads) > 30
    for query in reads:
        assert not re.search(writes, query.body, re.IGNORECASE), query.name
    for statement in (
        "INSERT INTO t VALUES (1)",
        "/* a */ UPDATE t SET a = 1",
        "WITH a AS (DELETE FROM t RETURNING 1) SELECT 1",
        "BEGIN",
        "",
    ):
        assert not is_read_only(statement)
    assert is_read_only("/* a */ SELECT 1")
