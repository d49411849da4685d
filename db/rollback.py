"""Rolls back migrations. The data that would be lost is listed, and the rollback must be confirmed before any is lost.

    python -m db.rollback [--confirm 023_create_final_grades]

A rollback and its record are one transaction, and tables that lose data are locked before their rows are counted. Losses are recorded
in `migration_losses`, so that the check of the books does not report an incomplete database as complete.
"""

import argparse
import io
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from yoyo import read_migrations

from db.cli import exit_on_error
from db.data_loss import DataLoss, changes_indexes_alone, data_losses
from db.migrate import FOLDER, MigrationError, alone, backend_of, schema_state_of

__all__ = ["RolledBack", "rollback"]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A migration that was rolled back, and the data that was lost."""

    name: str
    lost: list[DataLoss]


def rollback(
    url: str, folder: Path = FOLDER, *, to: str | None = None, confirm: str | None = None, production: bool = False, wait: float = 1800
) -> list[RolledBack]:
    """Rolls back the newest applied migration, or all down to and including the one named `to`, newest first.

    `confirm` is the name of the migration that may be rolled back although data is lost; in `production` it is always required.
    Raises MigrationError if it is missing, before anything is changed, and if the database has a migration that is not in `folder`.
    """
    with alone(url, wait), backend_of(url) as backend:
        backend.break_lock()
        newer = schema_state_of(url, folder).newer
        if newer is not None:
            raise MigrationError(
                f"{newer} Roll these back first, with the version that contains them: older ones cannot be rolled back before."
            )
        there = backend.to_rollback(read_migrations(str(folder)))
        done: list[RolledBack] = []
        for migration in there:
            if (to is None and done) or (to is not None and migration.id < to):
                break
            chosen = there.filter(lambda each, wanted=migration: each.id == wanted.id)
            done.append(
                _roll_back(backend, chosen, (folder / f"{migration.id}.rollback.sql").read_text(encoding="utf-8"), confirm, production)
            )
    return done


def _roll_back(backend: Any, chosen: Any, text: str, confirm: str | None, production: bool) -> RolledBack:
    (migration,) = chosen
    confirmed = confirm == migration.id
    migration.load()
    if not migration.use_transactions:
        if not confirmed and (production or not changes_indexes_alone(text)):
            raise _unconfirmed(migration.id, [], confirm, production, unknown=not changes_indexes_alone(text))
        with redirect_stdout(io.StringIO()):
            backend.rollback_migrations(chosen)
        backend.execute("DELETE FROM migration_checksums WHERE migration_id = :name", {"name": migration.id})
        return RolledBack(migration.id, [])
    with backend.transaction():
        lost = data_losses(backend.connection, text)
        if not confirmed and (production or any(each.rows for each in lost)):
            raise _unconfirmed(migration.id, lost, confirm, production)
        if lost:
            # Determined again, now that nobody else can write.
            backend.execute("SET LOCAL lock_timeout = '5s'")
            for table in dict.fromkeys(each.table for each in lost):
                backend.connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
            lost = data_losses(backend.connection, text)
            if not confirmed and any(each.rows for each in lost):
                raise _unconfirmed(migration.id, lost, confirm, production)
        with redirect_stdout(io.StringIO()):  # yoyo prints the results of SELECTs
            migration.process_steps(backend, "rollback")
        backend.log_migration(migration, "rollback")
        backend.unmark_one(migration, log=False)
        backend.execute("DELETE FROM migration_checksums WHERE migration_id = :name", {"name": migration.id})
        for each in lost:
            if each.rows:
                backend.execute(
                    "INSERT INTO migration_losses (migration_id, table_name, column_name, rows_lost) VALUES (:name, :table, :column, :rows)",
                    {"name": migration.id, "table": each.table, "column": each.column, "rows": each.rows},
                )
    return RolledBack(migration.id, lost)


def _unconfirmed(name: str, lost: list[DataLoss], confirm: str | None, production: bool, *, unknown: bool = False) -> MigrationError:
    sentences = [f"{name} was not rolled back."]
    if unknown:
        sentences.append("The data that it would lose cannot be determined, because it runs outside a transaction.")
    elif lost:
        sentences.append(f"It would lose {'; '.join(map(str, lost))}.")
    if production:
        sentences.append("This is a production database.")
    if confirm is not None:
        sentences.append(f"CONFIRM names {confirm}.")
    sentences.append(f"To roll it back anyway, make a backup and set CONFIRM={name}.")
    return MigrationError(" ".join(sentences))


def main() -> None:
    from config import load_settings
    from db.embedded import database_url
    from db.production import is_production

    parser = argparse.ArgumentParser(prog="python -m db.rollback", description="Rolls back the newest migration.")
    parser.add_argument(
        "--confirm", metavar="MIGRATION", help="the migration's name; required if data would be lost, and on a production database"
    )
    confirm = parser.parse_args().confirm or None
    settings = load_settings()
    with database_url(settings, say=lambda text: print(text, file=sys.stderr)) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            production = is_production(connection, settings)
        for each in rollback(url, confirm=confirm, production=production):
            print(f"rolled back  {each.name}")
            for loss in each.lost:
                print(f"  lost: {loss}")


if __name__ == "__main__":
    with exit_on_error("rollback", MigrationError):
        main()
