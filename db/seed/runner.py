"""Runs the SQL files of the seed in one transaction, so that an interrupted seed leaves the database empty."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from config import load_settings
from db.books import check_books_of
from db.demo_accounts import demo_password_hash
from db.production import ProductionError, is_production

__all__ = ["SCALES", "NotEmptyError", "seed"]

SCALES = ("demo", "school", "district")
_FOLDER = Path(__file__).parent


class NotEmptyError(Exception):
    """Raised when the database already has users: real and fictional data are never mixed."""


def seed(url: str, scale: str, seed_date: date, say: Callable[[str], None] = lambda _: None) -> None:
    """Loads a school of this scale, as of `seed_date`, into a migrated, empty database.

    Raises ProductionError in production, NotEmptyError if there are users, ValueError for an unknown scale, and RuntimeError if the generated
    data fails the check of the books.
    """
    if scale not in SCALES:
        raise ValueError(f"the scale must be one of {', '.join(SCALES)}, not {scale!r}")
    started = time.monotonic()
    with psycopg.connect(url) as connection:
        if is_production(connection, load_settings()):
            raise ProductionError(
                "this is a production database, and the accounts of the fictional school have a public password;"
                " set DEMO_DATA=false to start without them"
            )
        connection.execute("SELECT pg_advisory_xact_lock(7205759404)")
        if connection.execute("SELECT count(*) FROM users").fetchone() != (0,):
            raise NotEmptyError("this database already has users; use an empty one")
        settings = {"seed.scale": scale, "seed.date": seed_date.isoformat(), "seed.password_hash": demo_password_hash()}
        settings |= {"maintenance_work_mem": "256MB", "work_mem": "256MB", "jit": "off", "statement_timeout": "0", "TimeZone": "UTC"}
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        with _bulk(connection):
            for path in sorted(_FOLDER.glob("*.sql")):
                before = time.monotonic()
                connection.execute(path.read_text(encoding="utf-8"))
                say(f"  {path.stem[3:]}: {time.monotonic() - before:.1f} s")
        problems = [finding for finding in check_books_of(connection) if finding.broken]
        if problems:
            raise RuntimeError(
                "the seed fails the check of the books: " + "; ".join(f"{each.check.name}: {each.broken}" for each in problems)
            )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
    say(f"  the {scale} school was loaded in {time.monotonic() - started:.1f} s")


class _bulk:  # noqa: N801 - reads like a statement
    """Disables triggers and drops foreign keys and non-unique indexes during the block. Restores them afterwards, which checks the keys."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._put_back: list[str] = []

    def _all(self, query: LiteralString) -> list[Any]:
        return self._connection.execute(query).fetchall()

    def __enter__(self) -> None:
        for (table,) in self._all(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relhastriggers ORDER BY 1"
        ):
            self._connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
            self._put_back.append(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)).as_string(self._connection))
        for name, definition in self._all(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid"
            " WHERE t.relnamespace = 'public'::regnamespace AND NOT i.indisunique"
            " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY 1"
        ):
            self._connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
            self._put_back.append(definition)
        for table, name, definition in self._all(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2"
        ):
            self._connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.Identifier(name)))
            self._put_back.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            for statement in reversed(self._put_back):
                self._connection.execute(statement)
