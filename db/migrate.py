"""Applies the numbered migrations of `migrations/`, each exactly once even if several servers start at the same time.

    python -m db.migrate up | list

yoyo applies them. This module adds an advisory lock (yoyo's own is a row, which a killed process leaves behind), a checksum of every applied
file (yoyo does not detect edited ones), a check for invalid indexes (left by an interrupted concurrent build, they are never used and slow down
writes), and a check for migrations that this checkout does not know. Older code runs on a newer schema only if every unknown migration was
recorded as compatible, which a migration declares in its header: `-- compatible-with-older-code: yes`.
"""

import argparse
import hashlib
import io
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from yoyo import get_backend, read_migrations

from db.cli import exit_on_error

__all__ = ["FOLDER", "MigrationError", "SchemaState", "alone", "applied", "backend_of", "migrate", "schema_state", "schema_state_of"]

FOLDER = Path(__file__).parent.parent / "migrations"
_LOCK = 7_205_759_403
_NOTES = """
CREATE TABLE IF NOT EXISTS migration_checksums (
    migration_id text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    compatible_with_older_code boolean NOT NULL DEFAULT false
);
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = 'migration_checksums'::regclass AND attname = 'compatible_with_older_code'
    ) THEN
        ALTER TABLE migration_checksums ADD COLUMN compatible_with_older_code boolean NOT NULL DEFAULT false;
    END IF;
END $$;
-- The data that rollbacks have lost, for the check of the books. It must survive every rollback, so no migration creates it.
CREATE TABLE IF NOT EXISTS migration_losses (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    migration_id text NOT NULL,
    table_name text NOT NULL,
    column_name text,
    rows_lost bigint NOT NULL,
    lost_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz
);
"""
# Uses to_jsonb to be valid on a database whose table does not have the column yet.
_APPLIED = """
SELECT migration_id, coalesce((to_jsonb(m) ->> 'compatible_with_older_code')::boolean, false) AS is_compatible
FROM migration_checksums m ORDER BY migration_id
"""
_COMPATIBLE = re.compile(r"^-- compatible-with-older-code: (yes|no)$", re.MULTILINE)


class MigrationError(Exception):
    """Raised when migrations cannot be applied or rolled back. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The applied migrations compared with the files of this checkout.

    `pending` are the files that have not been applied. `unknown` maps applied migrations without a file to whether they are compatible.
    """

    pending: list[str]
    unknown: dict[str, bool]

    @property
    def newer(self) -> str | None:
        """A sentence that names the unknown migrations; None if there are none."""
        if not self.unknown:
            return None
        names = ", ".join(name if compatible else f"{name} (not compatible)" for name, compatible in self.unknown.items())
        return f"The database is newer than this checkout: {names}."

    @property
    def refusal(self) -> str | None:
        """Why this checkout's code must not run on the database, apart from pending migrations; None if it may."""
        if all(self.unknown.values()):
            return None
        return (
            f"{self.newer} Start the version that has these migrations: older code runs on a newer database only where every migration"
            " that it does not know is recorded as compatible."
        )


def migrate(url: str, folder: Path = FOLDER, *, wait: float = 1800, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Applies the pending migrations and returns their names. Waits up to `wait` seconds for another process that is migrating.

    Raises MigrationError for a file that was edited after it was applied, for an invalid index, if waiting took too long, and for a database that
    is newer than this checkout and not compatible with it. A compatible newer database is reported to `say`.
    """
    with alone(url, wait) as connection:
        with backend_of(url) as backend:
            backend.break_lock()
            backend.ensure_internal_schema_updated()  # yoyo's own tables, which migration_checksums is compared with
            _synchronize_checksums(connection, folder)
            _check_unedited(connection, folder)
            state = _state(((name, is_compatible) for name, is_compatible in connection.execute(_APPLIED)), folder)
            if state.refusal or (state.newer and state.pending):
                raise MigrationError(
                    state.refusal or f"{state.newer} And it lacks {', '.join(state.pending)}. Use a version that contains all of them."
                )
            if state.newer:
                say(f"{state.newer} It is compatible with this version.")
            pending = backend.to_apply(read_migrations(str(folder)))
            names = []
            for migration in pending:
                with redirect_stdout(io.StringIO()):  # yoyo prints the results of SELECTs
                    backend.apply_migrations(pending.filter(lambda each, wanted=migration: each.id == wanted.id))
                _record(connection, folder, migration.id)
                names.append(migration.id)
        _check_indexes(connection)
    return names


def applied(url: str) -> list[str]:
    """Returns the names of the applied migrations, in order."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('migration_checksums')").fetchone() == (None,):
            return []
        return [row[0] for row in connection.execute("SELECT migration_id FROM migration_checksums ORDER BY 1")]


async def schema_state(connection: Any, folder: Path = FOLDER) -> SchemaState:
    """Compares the applied migrations with the files, using an asyncpg connection."""
    if await connection.fetchval("SELECT to_regclass('migration_checksums')::text") is None:
        return _state((), folder)
    return _state(((row["migration_id"], row["is_compatible"]) for row in await connection.fetch(_APPLIED)), folder)


def schema_state_of(url: str, folder: Path = FOLDER) -> SchemaState:
    """Compares the applied migrations with the files, using a new connection to `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('migration_checksums')").fetchone() == (None,):
            return _state((), folder)
        return _state(((name, is_compatible) for name, is_compatible in connection.execute(_APPLIED)), folder)


def _state(there: Iterable[tuple[str, bool]], folder: Path) -> SchemaState:
    names, known = _names(folder), dict(there)
    return SchemaState([name for name in names if name not in known], {name: known[name] for name in known if name not in set(names)})


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.sql") if not path.name.endswith(".rollback.sql"))


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def alone(url: str, wait: float) -> Iterator["psycopg.Connection[Any]"]:
    """Holds the advisory lock of migrations during the block. Waits up to `wait` seconds for it, then raises MigrationError.

    It polls, because a session that waits inside pg_advisory_lock would block CREATE INDEX CONCURRENTLY forever.
    """
    until = time.monotonic() + wait
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone() != (True,):
            if time.monotonic() > until:
                raise MigrationError(
                    "another process has been migrating this database for too long. Wait until it has ended, and try again."
                )
            time.sleep(0.1)
        connection.execute(_NOTES)
        try:
            yield connection
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@contextmanager
def backend_of(url: str) -> Iterator[Any]:
    backend = get_backend(url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1))
    try:
        yield backend
    finally:
        backend.connection.close()


def _synchronize_checksums(connection: "psycopg.Connection[Any]", folder: Path) -> None:
    """Makes migration_checksums agree with yoyo's table, which is authoritative: a process may have been killed between the two writes."""
    connection.execute("DELETE FROM migration_checksums WHERE migration_id NOT IN (SELECT migration_id FROM _yoyo_migration)")
    for (name,) in connection.execute(
        "SELECT migration_id FROM _yoyo_migration WHERE migration_id NOT IN (SELECT migration_id FROM migration_checksums)"
    ).fetchall():
        if (folder / f"{name}.sql").exists():
            _record(connection, folder, name)
        else:
            # An empty checksum stands for an unknown file: a checkout that has the file replaces it.
            connection.execute("INSERT INTO migration_checksums (migration_id, sha256) VALUES (%s, '')", [name])
    for name, is_compatible in connection.execute("SELECT migration_id, compatible_with_older_code FROM migration_checksums").fetchall():
        path = folder / f"{name}.sql"
        if path.exists() and _is_compatible(path) != is_compatible:
            connection.execute(
                "UPDATE migration_checksums SET compatible_with_older_code = %s WHERE migration_id = %s", [not is_compatible, name]
            )


def _is_compatible(path: Path) -> bool:
    """Returns whether the header of a migration declares that older code may run on the migrated database."""
    found = _COMPATIBLE.search(path.read_text(encoding="utf-8"))
    return found is not None and found[1] == "yes"


def _record(connection: "psycopg.Connection[Any]", folder: Path, name: str) -> None:
    connection.execute(
        "INSERT INTO migration_checksums (migration_id, sha256, compatible_with_older_code) VALUES (%s, %s, %s) ON CONFLICT (migration_id)"
        " DO UPDATE SET sha256 = excluded.sha256, compatible_with_older_code = excluded.compatible_with_older_code, applied_at = now()",
        [name, _checksum(folder / f"{name}.sql"), _is_compatible(folder / f"{name}.sql")],
    )


def _check_unedited(connection: "psycopg.Connection[Any]", folder: Path) -> None:
    edited = [
        name
        for name, sha256 in connection.execute("SELECT migration_id, sha256 FROM migration_checksums WHERE sha256 <> '' ORDER BY 1")
        if (folder / f"{name}.sql").exists() and _checksum(folder / f"{name}.sql") != sha256
    ]
    if edited:
        raise MigrationError(
            f"these migrations were edited after they were applied: {', '.join(edited)}. Restore their text, and write a new migration."
        )


def _check_indexes(connection: "psycopg.Connection[Any]") -> None:
    invalid = [row[0] for row in connection.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")]
    if invalid:
        raise MigrationError(
            f"these indexes are invalid because building them was interrupted: {', '.join(invalid)}. They are never used, and slow down writes."
            " Drop them (DROP INDEX CONCURRENTLY), roll back the migration that builds them, and migrate again."
        )


def main() -> None:
    from config import load_settings
    from db.embedded import database_url

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    parser = argparse.ArgumentParser(
        prog="python -m db.migrate", description="Applies or lists migrations. To roll back, use python -m db.rollback."
    )
    parser.add_argument("what", choices=["up", "list"])
    what = parser.parse_args().what
    with database_url(load_settings(), say=say) as url:
        if what == "up":
            for name in migrate(url, say=say):
                print(f"applied  {name}")
            return
        state = schema_state_of(url)
        for name in sorted({*_names(FOLDER), *state.unknown}):
            if name in state.unknown:
                compatibility = "recorded as compatible with older code" if state.unknown[name] else "not compatible with this checkout"
                print(f"unknown  {name}  (applied, but not in this checkout; {compatibility})")
            else:
                print(("pending  " if name in state.pending else "applied  ") + name)


if __name__ == "__main__":
    with exit_on_error("migrations", MigrationError):
        main()
