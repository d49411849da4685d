"""Tests migrations on real databases: they are applied once and rolled back, and inconsistencies are detected."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import psycopg
import pytest

from db.data_loss import changes_indexes_alone
from db.migrate import FOLDER, MigrationError, alone, applied, migrate, schema_state
from db.rollback import rollback


def sql(url, statement, arguments=None):
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement, arguments)
        return found.fetchall() if found.description else []


@pytest.fixture
def folder(tmp_path):
    """Returns a folder with small migrations."""
    (tmp_path / "001_one.sql").write_text("-- One.\nCREATE TABLE one (n integer);\nSELECT 'printed by nobody';\n")
    (tmp_path / "001_one.rollback.sql").write_text("DROP TABLE one;\n")
    (tmp_path / "002_two.sql").write_text("-- Two.\n-- transactional: false\nCREATE INDEX CONCURRENTLY one_n_idx ON one (n);\n")
    (tmp_path / "002_two.rollback.sql").write_text("-- transactional: false\nDROP INDEX CONCURRENTLY one_n_idx;\n")
    return tmp_path


def schema_of(url):
    return sql(
        url,
        "SELECT 'column', table_name || '.' || column_name, data_type || coalesce(column_default, '') || is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name NOT LIKE '%yoyo%'"
        " UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%yoyo%'"
        " UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        " UNION ALL SELECT 'function', proname, md5(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'gbt%'"
        " ORDER BY 1, 2, 3",
    )


def test_every_migration_has_a_rollback_and_bounds_its_locks():
    names = sorted(path.name for path in FOLDER.glob("*.sql") if ".rollback" not in path.name)
    assert [name[:3] for name in names] == [f"{n:03}" for n in range(1, len(names) + 1)]
    assert names[17] == "018_add_performance_indexes.sql"
    for path in FOLDER.glob("*.sql"):
        text = path.read_text()
        assert "lock_timeout" in text, path.name
        assert "statement_timeout" in text, path.name
    for name in names:
        assert (FOLDER / name.replace(".sql", ".rollback.sql")).exists(), name


def test_a_rollback_outside_a_transaction_changes_indexes_alone():
    """Checks this because for any other rollback the losses are determined by trying it in a transaction."""
    outside = [path for path in FOLDER.glob("*.rollback.sql") if "-- transactional: false" in path.read_text()]
    assert outside
    assert [path.name for path in outside if not changes_indexes_alone(path.read_text())] == []


def test_up_then_all_down_leaves_nothing_and_up_again_gives_the_same(blank_database_url):
    migrate(blank_database_url)
    first = schema_of(blank_database_url)
    names = applied(blank_database_url)
    taken_back = rollback(blank_database_url, to="000")
    assert [each.name for each in taken_back] == names[::-1]
    left = sql(
        blank_database_url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')"
    )
    assert {name for (name,) in left if "yoyo" not in name} == {"migration_checksums", "migration_losses"}
    migrate(blank_database_url)
    assert schema_of(blank_database_url) == first


def test_each_step_down_and_up_gives_the_same(blank_database_url):
    migrate(blank_database_url)
    whole = schema_of(blank_database_url)
    for depth in range(1, 5):
        for _ in range(depth):
            rollback(blank_database_url)
        migrate(blank_database_url)
        assert schema_of(blank_database_url) == whole


def test_many_starters_at_once_apply_once(blank_database_url):
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: migrate(blank_database_url), range(6)))
    assert sorted(len(names) for names in results) == [0] * 5 + [len(applied(blank_database_url))]


def test_a_second_run_applies_nothing(blank_database_url, folder):
    assert migrate(blank_database_url, folder) == ["001_one", "002_two"]
    assert migrate(blank_database_url, folder) == []


def test_nothing_is_printed(blank_database_url, folder, capfd):
    migrate(blank_database_url, folder)
    assert "printed" not in capfd.readouterr().out


def test_an_edited_migration_is_noticed(blank_database_url, folder):
    migrate(blank_database_url, folder)
    (folder / "001_one.sql").write_text("CREATE TABLE other (n integer);\n")
    with pytest.raises(MigrationError, match="001_one"):
        migrate(blank_database_url, folder)


def test_a_broken_migration_leaves_nothing_of_itself_and_can_be_mended(blank_database_url, folder):
    (folder / "003_three.sql").write_text("CREATE TABLE three (n integer);\nINSERT INTO three VALUES ('x');\n")
    with pytest.raises(Exception, match="invalid input syntax"):
        migrate(blank_database_url, folder)
    assert applied(blank_database_url) == ["001_one", "002_two"]
    assert sql(blank_database_url, "SELECT to_regclass('three')::text") == [(None,)]
    (folder / "003_three.sql").write_text("CREATE TABLE three (n integer);\n")
    assert migrate(blank_database_url, folder) == ["003_three"]


def test_an_invalid_index_is_noticed(blank_database_url, folder):
    migrate(blank_database_url, folder)
    sql(blank_database_url, "INSERT INTO one VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        sql(blank_database_url, "CREATE UNIQUE INDEX CONCURRENTLY broken_idx ON one (n)")
    with pytest.raises(MigrationError, match="broken_idx"):
        migrate(blank_database_url, folder)


CONCURRENT = [
    path.stem for path in sorted(FOLDER.glob("*.sql")) if "CREATE INDEX CONCURRENTLY" in path.read_text() and ".rollback" not in path.name
]


@pytest.mark.parametrize("migration", CONCURRENT)
def test_an_index_whose_build_was_cut_short_is_built_again(blank_database_url, migration):
    """Checks that an INVALID index, left by an interrupted build, is replaced, although IF NOT EXISTS would keep it."""
    migrate(blank_database_url)
    rollback(blank_database_url, to=migration[:3])
    built = re.findall(r"^CREATE INDEX CONCURRENTLY IF NOT EXISTS (\w+) ON (\w+)", (FOLDER / f"{migration}.sql").read_text(), re.MULTILINE)
    assert built
    for name, table in built:
        sql(blank_database_url, f"CREATE INDEX {name} ON {table} ((1))")
        sql(blank_database_url, f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")
    migrate(blank_database_url)
    assert sql(blank_database_url, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == []
    definitions = "SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = ANY(%s)"
    assert not any("((1))" in definition for (definition,) in sql(blank_database_url, definitions, [[name for name, _ in built]]))


def test_a_lock_left_by_a_killed_process_does_not_stop_the_next(blank_database_url, folder):
    migrate(blank_database_url, folder)
    sql(blank_database_url, "INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 999999)")
    (folder / "003_three.sql").write_text("CREATE TABLE three (n integer);\n")
    assert migrate(blank_database_url, folder) == ["003_three"]


def test_waiting_for_another_starter_ends(blank_database_url, folder):
    with alone(blank_database_url, 1), pytest.raises(MigrationError, match="too long"):
        migrate(blank_database_url, folder, wait=0.3)


async def test_what_is_pending_is_known_to_the_probe(blank_database_url, folder):
    connection = await asyncpg.connect(blank_database_url)
    try:
        assert (await schema_state(connection, folder)).pending == ["001_one", "002_two"]
        migrate(blank_database_url, folder)
        assert (await schema_state(connection, folder)).pending == []
        shutil.copy(folder / "001_one.sql", folder / "003_three.sql")
        assert (await schema_state(connection, folder)).pending == ["003_three"]
    finally:
        await connection.close()


async def test_notes_that_a_killed_process_left_behind_are_put_right(blank_database_url, folder):
    """Checks a process that was killed between yoyo's commit and ours, after which the probe would report a wrong state forever."""
    migrate(blank_database_url, folder)
    sql(blank_database_url, "DELETE FROM migration_checksums WHERE migration_id = '002_two'")
    sql(blank_database_url, "INSERT INTO migration_checksums (migration_id, sha256) VALUES ('003_three', 'x')")
    (folder / "003_three.sql").write_text("CREATE TABLE three (n integer);\n")
    assert migrate(blank_database_url, folder) == ["003_three"]
    connection = await asyncpg.connect(blank_database_url)
    try:
        assert (await schema_state(connection, folder)).pending == []
    finally:
        await connection.close()
    (folder / "002_two.sql").write_text("SELECT 1;\n")
    with pytest.raises(MigrationError, match="002_two"):
        migrate(blank_database_url, folder)


def test_stored_sort_keys_are_folded_again_and_no_version_or_audit_entry_says_so(blank_database_url):
    """In batches, for every kind of person; names that are folded as before are not written."""
    (fold,) = [path.stem for path in FOLDER.glob("*_fold_names_one_way.sql")]
    migrate(blank_database_url)
    rollback(blank_database_url, to=fold[:3])
    sql(
        blank_database_url,
        "INSERT INTO users (role, first_name, last_name) SELECT 'STUDENT', 'Séan', name FROM (VALUES ('O’Brien'), ('O''Brien'), ('Müller-Lund'), ('Lund')) AS n (name)",
    )
    sql(
        blank_database_url,
        "INSERT INTO users (role, first_name, last_name) SELECT 'STUDENT', 'N', 'Д' || n FROM generate_series(1, 2500) AS n",
    )
    sql(
        blank_database_url,
        "INSERT INTO students (user_id, student_number, enrollment_date) SELECT id, alt_id, '2026-01-01' FROM users;"
        "INSERT INTO guardians (user_id) SELECT id FROM users;"
        "INSERT INTO teachers (user_id, employee_number, joining_date) SELECT id, alt_id, '2026-01-01' FROM users",
    )
    before = "SELECT count(*), sum(version), max(updated_at), (SELECT count(*) FROM audit_logs) FROM users"
    unchanged = sql(blank_database_url, before)
    lund = sql(blank_database_url, "SELECT ctid FROM users WHERE last_name = 'Lund'")
    migrate(blank_database_url)
    keys = "SELECT DISTINCT sort_key FROM {} WHERE sort_key !~ '^д' ORDER BY 1"
    for table in ("users", "students", "guardians", "teachers"):
        assert sql(blank_database_url, keys.format(table)) == [("lund\x01sean",), ("muller lund\x01sean",), ("obrien\x01sean",)], table
        assert sql(blank_database_url, f"SELECT count(*) FROM {table} WHERE sort_key LIKE 'д%'") == [(2500,)]
    assert sql(blank_database_url, before) == unchanged
    assert sql(blank_database_url, "SELECT ctid FROM users WHERE last_name = 'Lund'") == lund
