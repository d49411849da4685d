"""Tests rolling back migrations: only data that was named and confirmed is lost, and the loss is recorded."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import psycopg
import pytest

from db.books import check_books_of
from db.data_loss import changes_indexes_alone
from db.migrate import MigrationError, applied, migrate
from db.production import mark_production
from db.rollback import rollback
from tests.server_process import ROOT

OUTSIDE = "-- transactional: false\nCREATE INDEX CONCURRENTLY one_word_idx ON one (word);\n"


def sql(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


@pytest.fixture
def folder(tmp_path):
    """Yields a folder of migrations that create two tables with rows, to which tests add others."""
    (tmp_path / "001_one.sql").write_text(
        "CREATE TABLE one (n integer PRIMARY KEY, word text, other text);\nCREATE TABLE two (n integer REFERENCES one ON DELETE CASCADE);\n"
        "INSERT INTO one SELECT n, 'w', CASE WHEN n <= 3 THEN 'x' END FROM generate_series(1, 10) AS n;\nINSERT INTO two SELECT n FROM one;\n"
    )
    (tmp_path / "001_one.rollback.sql").write_text("DROP TABLE two;\nDROP TABLE one;\n")
    return tmp_path


def add(folder, back, name="002_more", up="SELECT 1;\n"):
    (folder / f"{name}.sql").write_text(up)
    (folder / f"{name}.rollback.sql").write_text(back)
    return name


LOSING = {
    "a table": ("DROP TABLE two;", ["table two with 10 rows"]),
    "tables that hang on another": ("DROP TABLE one, two;", ["table one with 10 rows", "table two with 10 rows"]),
    "a column, of the rows that have a value in it": ("ALTER TABLE one DROP COLUMN other;", ["column one.other with values in 3 rows"]),
    "a column that gets another type": ("ALTER TABLE one ALTER COLUMN word TYPE varchar(1);", ["column one.word with values in 10 rows"]),
    "rows that are deleted": ("DELETE FROM two WHERE n < 5;", ["4 rows of table two, deleted or changed"]),
    "rows that go with others": ("DELETE FROM one WHERE n < 5;", ["4 rows of table one, deleted or changed", "4 rows of table two, deleted or changed"]),
    "rows that are changed": ("UPDATE one SET word = 'v';", ["10 rows of table one, deleted or changed"]),
    "a table that is emptied": ("TRUNCATE two;", ["10 rows of table two, deleted or changed"]),
    "what a function does": ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'two'; END $$;", ["table two with 10 rows"]),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(LOSING))
def test_what_would_be_lost_is_named_and_kept_until_it_is_confirmed(blank_database_url, folder, what):
    back, named = LOSING[what]
    name = add(folder, back)
    migrate(blank_database_url, folder)
    for confirm in (None, "001_one", "yes"):
        with pytest.raises(MigrationError, match=f"CONFIRM={name}") as refused:
            rollback(blank_database_url, folder, confirm=confirm)
        for each in named:
            assert each in str(refused.value)
    assert sql(blank_database_url, "SELECT count(*), count(word), count(other), (SELECT count(*) FROM two) FROM one") == [(10, 10, 3, 10)]
    assert applied(blank_database_url) == ["001_one", name]
    assert sql(blank_database_url, "SELECT count(*) FROM migration_losses") == [(0,)]
    (taken,) = rollback(blank_database_url, folder, confirm=name)
    assert taken.name == name
    assert applied(blank_database_url) == ["001_one"]
    kept = sql(blank_database_url, "SELECT migration_id, sum(rows_lost) FROM migration_losses GROUP BY 1")
    assert kept == [(name, sum(each.rows for each in taken.lost))]


@pytest.mark.parametrize(
    "back",
    ["DROP TABLE two;", "ALTER TABLE one DROP COLUMN other;", "ALTER TABLE one RENAME TO uno; ALTER TABLE uno RENAME word TO palabra;"],
)
def test_a_rollback_that_loses_no_row_needs_no_confirmation(blank_database_url, folder, back):
    name = add(folder, back)
    migrate(blank_database_url, folder)
    sql(blank_database_url, "DELETE FROM two; UPDATE one SET other = NULL")
    assert [each.name for each in rollback(blank_database_url, folder)] == [name]
    assert sql(blank_database_url, "SELECT count(*) FROM migration_losses") == [(0,)]


@pytest.mark.parametrize(
    ("column", "changed", "rows"),
    [
        ("integer[] NOT NULL DEFAULT '{}'", "'{1}'", 3),
        ("integer NOT NULL DEFAULT 0", "1", 3),
        ("text DEFAULT 'x'", "NULL", 3),
        ("json DEFAULT '{}'", "'[]'", 3),
        # A default that is not a constant has a different value in every row.
        ("timestamptz NOT NULL DEFAULT now()", "now()", 10),
    ],
)
def test_a_column_that_has_its_default_everywhere_loses_nothing(blank_database_url, folder, column, changed, rows):
    name = add(folder, "ALTER TABLE one DROP COLUMN more;\n", up=f"ALTER TABLE one ADD COLUMN more {column};\n")
    migrate(blank_database_url, folder)
    if rows == 3:
        assert [each.name for each in rollback(blank_database_url, folder)] == [name]
        migrate(blank_database_url, folder)
    sql(blank_database_url, f"UPDATE one SET more = {changed} WHERE n <= 3")
    with pytest.raises(MigrationError, match=f"column one.more with values in {rows} rows"):
        rollback(blank_database_url, folder)


def test_reserving_attempts_is_taken_back_without_a_loss_when_none_is_in_flight(fresh_database_url):
    newest = next(name for name in applied(fresh_database_url) if name.startswith("032"))
    while (name := applied(fresh_database_url)[-1]) != newest:
        rollback(fresh_database_url, confirm=name)
    sql(fresh_database_url, "INSERT INTO sign_in_throttles (key, failures, counted_at, blocked_until) SELECT '\\x01', 1, now(), now()")
    assert [each.name for each in rollback(fresh_database_url)] == [newest]


def test_outside_a_transaction_anything_but_indexes_needs_confirmation(blank_database_url, folder):
    name = add(folder, "DROP TABLE two;\n", up=OUTSIDE)
    migrate(blank_database_url, folder)
    with pytest.raises(MigrationError, match="cannot be determined"):
        rollback(blank_database_url, folder)
    assert sql(blank_database_url, "SELECT count(*) FROM two") == [(10,)]
    rollback(blank_database_url, folder, confirm=name)
    assert applied(blank_database_url) == ["001_one"]


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("-- A comment; DROP TABLE x\n-- transactional: false\nSET lock_timeout = '5s';\nDROP INDEX CONCURRENTLY IF EXISTS a_idx;\n", True),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS a_idx\n    ON a (b)\n    WHERE c;", True),
        ("DROP INDEX CONCURRENTLY a_idx;\nDELETE FROM a;", False),
        ("SELECT drop_everything();", False),
        ("DO $$ BEGIN DELETE FROM a; END $$;", False),
    ],
)
def test_a_text_that_changes_indexes_alone_is_told_from_others(text, harmless):
    assert changes_indexes_alone(text) is harmless


def test_production_asks_for_confirmation_also_when_nothing_is_lost(blank_database_url, folder):
    name = add(folder, "DROP INDEX CONCURRENTLY IF EXISTS one_word_idx;\n", up=OUTSIDE)
    other = add(folder, "SELECT 1;\n", name="003_other")
    migrate(blank_database_url, folder)
    for each in (other, name):
        with pytest.raises(MigrationError, match=f"production database.*CONFIRM={each}"):
            rollback(blank_database_url, folder, production=True)
        assert [taken.name for taken in rollback(blank_database_url, folder, production=True, confirm=each)] == [each]


def run(url, *arguments, **environment):
    """Runs the command of `make rollback`."""
    return subprocess.run(
        ["make", "--no-print-directory", "rollback", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "SECRET_KEY": "s" * 40} | environment,
    )  # fmt: skip


def test_nine_rollbacks_of_a_school_stop_at_its_final_grades_and_the_books_know_what_a_confirmed_one_lost(databases):
    url = databases.clone("demo", "nine")
    try:
        grades, postings = sql(url, "SELECT (SELECT count(*) FROM final_grades), (SELECT count(*) FROM grade_postings)")[0]
        assert grades > 0
        assert postings > 0
        names = [name for name in reversed(applied(url)) if name[:3] > "023"]
        refused = []
        for name in names:
            try:
                rollback(url)
            except MigrationError as error:
                refused.append(str(error))
                rollback(url, confirm=name)
        done = run(url)
        assert done.returncode != 0
        for named in (
            f"table final_grades with {grades:,} rows",
            f"table grade_postings with {postings:,} rows",
            "CONFIRM=023_create_final_grades",
        ):
            assert named in done.stderr
        assert sql(url, "SELECT count(*) FROM final_grades") == [(grades,)]
        done = run(url, "CONFIRM=023_create_final_grades")
        assert done.returncode == 0, done.stderr
        assert f"lost: table final_grades with {grades:,} rows" in done.stdout
        migrate(url)
        with psycopg.connect(url) as connection:
            broken = {finding.check.name for finding in check_books_of(connection) if finding.broken}
        assert "rollbacks_lost_nothing" in broken
        books = subprocess.run(
            [sys.executable, "-m", "db.books"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert books.returncode == 1
        sql(url, f"UPDATE migration_losses SET settled_at = '{datetime.now(UTC).isoformat()}'")
        with psycopg.connect(url) as connection:
            assert "rollbacks_lost_nothing" not in {finding.check.name for finding in check_books_of(connection) if finding.broken}
    finally:
        databases.drop("nine")


def test_make_rollback_refuses_production_however_it_is_known(fresh_database_url):
    newest = applied(fresh_database_url)[-1]
    done = run(fresh_database_url, ENVIRONMENT="production")
    assert done.returncode != 0
    assert f"CONFIRM={newest}" in done.stderr
    mark_production(fresh_database_url, lambda _: None)
    done = run(fresh_database_url)
    assert done.returncode != 0
    assert "production database" in done.stderr
    assert applied(fresh_database_url)[-1] == newest
    assert run(fresh_database_url, f"CONFIRM={newest}").returncode == 0
    assert applied(fresh_database_url)[-1] != newest
