"""Tests databases with migrations that this checkout does not have."""

import os
import subprocess
import sys

import asyncpg
import psycopg
import pytest

from db.migrate import FOLDER, MigrationError, applied, migrate, schema_state
from db.rollback import rollback
from tests.in_process_server import serving
from tests.server_process import ROOT

pytestmark = pytest.mark.processes

NEWER = "900_from_another_version"
LATER = "901_and_one_more"


def note(url, name, compatible):
    """Records migrations in the database as a newer version would."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc) VALUES (%s, %s, now())", [name, name]
        )
        connection.execute(
            "INSERT INTO migration_checksums (migration_id, sha256, compatible_with_older_code) VALUES (%s, 'x', %s)", [name, compatible]
        )


def run(url, *command):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("head", "compatible"), [("-- compatible-with-older-code: yes\n", True), ("-- compatible-with-older-code: no\n", False), ("", False)]
)
def test_the_database_records_what_a_migration_says_of_itself(blank_database_url, tmp_path, head, compatible):
    (tmp_path / "001_one.sql").write_text(f"-- One.\n{head}CREATE TABLE one (n integer);\n")
    (tmp_path / "001_one.rollback.sql").write_text("DROP TABLE one;\n")
    migrate(blank_database_url, tmp_path)
    (tmp_path / "001_one.sql").unlink()
    if compatible:
        said = []
        assert migrate(blank_database_url, tmp_path, say=said.append) == []
        assert "001_one" in said[0]
    else:
        with pytest.raises(MigrationError, match="001_one"):
            migrate(blank_database_url, tmp_path)


def test_a_migration_whose_note_was_cut_short_is_not_compatible(blank_database_url, tmp_path):
    (tmp_path / "001_one.sql").write_text("-- One.\n-- compatible-with-older-code: yes\nCREATE TABLE one (n integer);\n")
    (tmp_path / "001_one.rollback.sql").write_text("DROP TABLE one;\n")
    migrate(blank_database_url, tmp_path)
    with psycopg.connect(blank_database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM migration_checksums")
    text = (tmp_path / "001_one.sql").read_text()
    (tmp_path / "001_one.sql").unlink()
    with pytest.raises(MigrationError, match=r"001_one \(not compatible\)"):
        migrate(blank_database_url, tmp_path)
    (tmp_path / "001_one.sql").write_text(text)
    assert migrate(blank_database_url, tmp_path) == []
    (tmp_path / "001_one.sql").unlink()
    assert migrate(blank_database_url, tmp_path, say=lambda _: None) == []


def test_every_migration_that_says_whether_it_is_compatible_says_it_readably():
    for path in FOLDER.glob("*.sql"):
        lines = [line for line in path.read_text().splitlines() if "compatible-with" in line]
        assert all(line in ("-- compatible-with-older-code: yes", "-- compatible-with-older-code: no") for line in lines), path.name


@pytest.mark.parametrize(
    "command", [("db.migrate", "up"), ("launcher",), ("db.seed",), ("db.books",), ("auth.administrator", "--email", "a@b.example")]
)
def test_what_this_checkout_does_not_know_stops_every_command_with_a_sentence(databases, command):
    name = f"newer_{command[0].replace('.', '_')}"
    url = databases.clone("empty", name)
    try:
        note(url, LATER, compatible=True)
        note(url, NEWER, compatible=False)
        done = run(url, *command)
        assert done.returncode == 1
        assert f"newer than this checkout: {NEWER} (not compatible), {LATER}" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        databases.drop(name)


def test_it_is_listed_and_nothing_beneath_it_is_taken_back(fresh_database_url):
    before = applied(fresh_database_url)
    note(fresh_database_url, NEWER, compatible=True)
    listed = run(fresh_database_url, "db.migrate", "list").stdout.splitlines()
    assert len(listed) == len(before) + 1
    assert listed[-1].startswith(f"unknown  {NEWER}")
    with pytest.raises(MigrationError, match=NEWER):
        rollback(fresh_database_url, confirm=before[-1])
    done = run(fresh_database_url, "db.rollback", "--confirm", before[-1])
    assert done.returncode == 1
    assert NEWER in done.stderr
    assert applied(fresh_database_url) == [*before, NEWER]


def test_a_compatible_one_is_said_at_start(fresh_database_url):
    note(fresh_database_url, NEWER, compatible=True)
    done = run(fresh_database_url, "db.migrate", "up")
    assert done.returncode == 0
    assert NEWER in done.stderr


def test_a_database_that_has_something_unknown_and_lacks_something_is_left_alone(blank_database_url, tmp_path):
    (tmp_path / "001_one.sql").write_text("CREATE TABLE one (n integer);\n")
    migrate(blank_database_url, tmp_path)
    note(blank_database_url, NEWER, compatible=True)
    (tmp_path / "002_two.sql").write_text("CREATE TABLE two (n integer);\n")
    with pytest.raises(MigrationError, match="lacks 002_two"):
        migrate(blank_database_url, tmp_path)


async def test_a_running_server_says_it(databases):
    url = databases.clone("demo", "newer")
    try:
        async with serving(url) as client:
            token = await client.token("admin@demo.school")

            async def reported():
                ready = await client.http.get("/health/ready")
                detailed = await client.http.get("/health/detailed", headers={"authorization": f"Bearer {token}"})
                return ready.status_code, ready.json().get("reason"), detailed.status_code, detailed.json()["checks"]["database"]

            assert (await reported())[0] == 200
            note(url, LATER, compatible=True)
            status, _, detailed, check = await reported()
            assert (status, detailed, check["status"]) == (200, 200, "healthy")
            assert LATER in check["message"]
            note(url, NEWER, compatible=False)
            status, reason, detailed, check = await reported()
            assert (status, detailed, check["status"]) == (503, 503, "unhealthy")
            assert reason == "the database is newer than this server"
            assert NEWER in check["message"]
    finally:
        databases.drop("newer")


async def test_notes_from_before_the_column_are_read(fresh_database_url):
    connection = await asyncpg.connect(fresh_database_url)
    try:
        await connection.execute("ALTER TABLE migration_checksums DROP COLUMN compatible_with_older_code")
        state = await schema_state(connection)
        assert (state.pending, state.unknown) == ([], {})
        assert migrate(fresh_database_url) == []
    finally:
        await connection.close()
