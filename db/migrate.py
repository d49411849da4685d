"""Migrations: the numbered files of `migrations/`, applied once however many start at once.

    python -m db.migrate up | down | list

yoyo applies them. Around it: an advisory lock (yoyo's own is a row, which a killed process leaves behind), a checksum of every applied file
(yoyo does not notice an edited one), and a look at the indexes (a concurrent build that broke leaves one that is not used and costs writes).
"""

import argparse
import hashlib
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
from yoyo import get_backend, read_migrations

from db.plainly import plainly

__all__ = ["FOLDER", "MigrationError", "applied", "migrate", "pending", "rollback"]

FOLDER = Path(__file__).parent.parent / "migrations"
_LOCK = 7_205_759_403
_NOTES = """
CREATE TABLE IF NOT EXISTS migration_checksums (
    migration_id text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The migrations cannot go on. The message says why and what to do."""


def migrate(url: str, folder: Path = FOLDER, *, wait: float = 1800) -> list[str]:
    """Applies what is not applied yet and returns its names. Other starters are waited for, `wait` seconds at most.

    Raises MigrationError for a file that was edited after it was applied, for an invalid index, and when waiting took too long.
    """
    with _alone(url, wait) as connection:
        with _backend(url) as backend:
            backend.break_lock()
            backend.ensure_internal_schema_updated()  # yoyo's own tables, which the notes are compared with
            _note_what_is_applied(connection, folder)
            _check_unedited(connection, folder)
            missing = backend.to_apply(read_migrations(str(folder)))
            names = []
            for migration in missing:
                with redirect_stdout(io.StringIO()):  # yoyo prints what SELECTs answer
                    backend.apply_migrations(missing.filter(lambda each, wanted=migration: each.id == wanted.id))
                _note(connection, folder, migration.id)
                names.append(migration.id)
        _check_indexes(connection)
    return names


def rollback(url: str, folder: Path = FOLDER, *, to: str | None = None, wait: float = 1800) -> list[str]:
    """Takes back the newest applied migration, or all after and with the one called `to`. Returns the names."""
    with _alone(url, wait) as connection, _backend(url) as backend:
        backend.break_lock()
        applied_now = backend.to_rollback(read_migrations(str(folder)))
        names: list[str] = []
        for migration in applied_now:
            if to is None and names:
                break
            if to is not None and migration.id < to:
                break
            with redirect_stdout(io.StringIO()):
                backend.rollback_migrations(applied_now.filter(lambda each, wanted=migration: each.id == wanted.id))
            connection.execute("DELETE FROM migration_checksums WHERE migration_id = %s", [migration.id])
            names.append(migration.id)
    return names


def applied(url: str) -> list[str]:
    """The names of the applied migrations, in order."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('migration_checksums')").fetchone() == (None,):
            return []
        return [row[0] for row in connection.execute("SELECT migration_id FROM migration_checksums ORDER BY 1")]


async def pending(connection: Any, folder: Path = FOLDER) -> list[str]:
    """The names of migrations that are not applied yet, asked through an asyncpg connection."""
    if await connection.fetchval("SELECT to_regclass('migration_checksums')::text") is None:
        return _names(folder)
    known = {row["migration_id"] for row in await connection.fetch("SELECT migration_id FROM migration_checksums")}
    return [name for name in _names(folder) if name not in known]


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.sql") if not path.name.endswith(".rollback.sql"))


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def _alone(url: str, wait: float) -> Iterator["psycopg.Connection[Any]"]:
    """Holds the advisory lock. It is polled for: a session that waits inside pg_advisory_lock would block CREATE INDEX CONCURRENTLY for ever."""
    until = time.monotonic() + wait
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone() != (True,):
            if time.monotonic() > until:
                raise MigrationError("another process has been migrating this database for too long")
            time.sleep(0.1)
        connection.execute(_NOTES)
        try:
            yield connection
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


@contextmanager
def _backend(url: str) -> Iterator[Any]:
    backend = get_backend(url.replace("postgresql://", "postgresql+psycopg://", 1).replace("postgres://", "postgresql+psycopg://", 1))
    try:
        yield backend
    finally:
        backend.connection.close()


def _note_what_is_applied(connection: "psycopg.Connection[Any]", folder: Path) -> None:
    """Makes our notes agree with yoyo's, which are true: a process that was killed between the two has left ours behind."""
    connection.execute("DELETE FROM migration_checksums WHERE migration_id NOT IN (SELECT migration_id FROM _yoyo_migration)")
    for (name,) in connection.execute(
        "SELECT migration_id FROM _yoyo_migration WHERE migration_id NOT IN (SELECT migration_id FROM migration_checksums)"
    ).fetchall():
        if (folder / f"{name}.sql").exists():
            _note(connection, folder, name)


def _note(connection: "psycopg.Connection[Any]", folder: Path, name: str) -> None:
    connection.execute(
        "INSERT INTO migration_checksums (migration_id, sha256) VALUES (%s, %s)"
        " ON CONFLICT (migration_id) DO UPDATE SET sha256 = excluded.sha256, applied_at = now()",
        [name, _checksum(folder / f"{name}.sql")],
    )


def _check_unedited(connection: "psycopg.Connection[Any]", folder: Path) -> None:
    edited = [
        name
        for name, sha256 in connection.execute("SELECT migration_id, sha256 FROM migration_checksums ORDER BY 1")
        if (folder / f"{name}.sql").exists() and _checksum(folder / f"{name}.sql") != sha256
    ]
    if edited:
        raise MigrationError(f"edited after they were applied: {', '.join(edited)}. Put the old text back and write a new migration.")


def _check_indexes(connection: "psycopg.Connection[Any]") -> None:
    invalid = [row[0] for row in connection.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")]
    if invalid:
        raise MigrationError(
            f"not valid, since building them was cut short: {', '.join(invalid)}. They are not used and cost writes."
            " Drop them (DROP INDEX CONCURRENTLY), roll back the migration that builds them, and migrate again."
        )


def main() -> None:
    from config import load_settings
    from db.embedded import database_url

    parser = argparse.ArgumentParser(prog="python -m db.migrate", description="Applies, takes back or lists migrations.")
    parser.add_argument("what", choices=["up", "down", "list"])
    what = parser.parse_args().what
    with database_url(load_settings(), say=lambda text: print(text, file=sys.stderr)) as url:
        if what == "list":
            done = set(applied(url))
            for name in _names(FOLDER):
                print(("applied  " if name in done else "pending  ") + name)
            return
        for name in migrate(url) if what == "up" else rollback(url):
            print(("applied  " if what == "up" else "taken back  ") + name)


if __name__ == "__main__":
    with plainly("migrations", MigrationError):
        main()
