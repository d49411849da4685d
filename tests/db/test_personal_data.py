"""Every column of the database is declared: whether it is personal, whose it is, and how long it is kept."""

import re
from datetime import timedelta

import psycopg
import pytest

from auth import sessions, throttle
from db.personal_data import PersonPath
from db.sql_catalog import queries

_COLUMNS = """
SELECT t.relname, a.attname, a.atttypid IN ('json'::regtype, 'jsonb'::regtype)
FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
WHERE t.relkind IN ('r', 'p', 'm') AND t.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname, a.attnum
"""
_REFERENCES_TO_USERS = """
SELECT k.conrelid::regclass::text, a.attname
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY(k.conkey)
WHERE k.contype = 'f' AND k.confrelid = 'users'::regclass
"""


@pytest.fixture
def connection(database_url):
    with psycopg.connect(database_url) as connection:
        yield connection
        connection.rollback()


def undeclared(connection):
    """Columns of the database that no `table` entry mentions, as table.column."""
    return [
        f"{table}.{column}"
        for table, column, _ in connection.execute(_COLUMNS)
        if table not in queries.tables or column not in queries.tables[table].columns
    ]


def test_every_column_is_declared(connection):
    assert undeclared(connection) == [], "declare them in the `-- table:` entry of db/sql/*.sql (db/sql/README.md)"


def test_a_new_column_and_a_new_table_are_noticed(connection):
    connection.execute("ALTER TABLE students ADD COLUMN religion text")
    connection.execute("CREATE TABLE diagnoses (id uuid, text text)")
    connection.execute("CREATE MATERIALIZED VIEW birthdays AS SELECT birth_date FROM students")
    assert undeclared(connection) == ["birthdays.birth_date", "diagnoses.id", "diagnoses.text", "students.religion"]


def test_every_declared_column_exists(connection):
    there = {(table, column) for table, column, _ in connection.execute(_COLUMNS)}
    declared = {
        (table.name, column)
        for table in queries.tables.values()
        for column in (*table.other, *(column.name for each in table.personal for column in each.columns))
    }
    assert declared <= there


def test_json_columns_of_tables_with_personal_data_are_declared_as_such(connection):
    json = {(table, column) for table, column, is_json in connection.execute(_COLUMNS) if is_json and queries.tables[table].personal}
    declared = {
        (table.name, column.name)
        for table in queries.tables.values()
        for each in table.personal
        for column in each.columns
        if column.content == "JSON"
    }
    assert declared == json


def test_every_reference_to_a_user_is_personal(connection):
    for table, column in connection.execute(_REFERENCES_TO_USERS):
        assert column in {each.path.column for each in queries.tables[table].personal}, f"{table}.{column}"


def _user_id(table, path):
    """SQL that follows a path from each row of a table."""
    value = f"t.{path.column}"
    for number, step in enumerate(path.steps):
        value = f"(SELECT s{number}.{step.column} FROM {step.table} s{number} WHERE s{number}.{step.key} = {value} LIMIT 1)"
    return f"SELECT {value} AS user_id FROM {table} t"


def test_every_path_leads_from_a_table_to_users(connection):
    followed = 0
    for table in queries.tables.values():
        for each in table.personal:
            if each.path.untraceable:
                continue
            if each.path.by_table_name:
                connection.execute(f"SELECT {each.path.by_table_name} FROM {table.name} WHERE {each.path.column} IS NULL")
                continue
            connection.execute(f"SELECT u.id FROM users u JOIN ({_user_id(table.name, each.path)}) AS path ON path.user_id = u.id")
            last = each.path.steps[-1] if each.path.steps else None
            end = (last.table, last.column) if last else (table.name, each.path.column)
            # The one reference without a foreign key: the audit log outlives what it reports.
            references = {*connection.execute(_REFERENCES_TO_USERS), ("users", "id"), ("audit_logs", "user_id")}
            assert end in references, f"{table.name}: {each.path} ends at something other than a user"
            followed += 1
    assert followed > 30


def test_what_the_server_deletes_is_declared_with_the_period_in_the_code():
    days = {
        int(each)
        for each in re.findall(r"interval '(\d+) days'", f"{queries.claim_idempotency_key.body} {queries.delete_old_idempotency_keys.body}")
    }
    assert len(days) == 1
    enforced = {
        "idempotency_keys": (timedelta(days=days.pop()), "created_at"),
        "refresh_tokens": (sessions._REUSE_DETECTION, "used_at"),
        "sessions": (sessions._ENDED_SESSION_RETENTION, "expires_at"),
        "sign_in_throttles": (throttle._RETENTION, "counted_at"),
    }
    declared = {
        table.name: (timedelta(**{f"{each.retention.unit}s": each.retention.count}), each.retention.start)
        for table in queries.tables.values()
        for each in table.personal
        if each.retention.enforced
    }
    assert declared == enforced


def test_what_the_server_deletes_is_measured_from_the_declared_column():
    assert "expires_at < " in queries.delete_old_sessions.body
    assert "used_at < " in queries.rotate_refresh_token.body
    assert "created_at < " in queries.delete_old_idempotency_keys.body
    assert "counted_at < " in queries.delete_old_sign_in_throttles.body


def test_a_path_is_printed_as_it_is_declared():
    texts = {str(each.path) for table in queries.tables.values() for each in table.personal}
    assert "student_id -> students.user_id" in texts
    assert "record_id -> (table_name)" in texts
    assert "id -> payment_transactions[receipt_id].payment_id -> payments.student_id -> students.user_id" in texts
    assert str(PersonPath(untraceable="a hash")) == "untraceable: a hash"
