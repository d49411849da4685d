"""Checks the books: invariants that hold in every school's database, whatever wrote the data.

The checks are in `db/checks/*.sql`. Each starts with its name and one line that states the invariant; its statement returns the ids of the
rows that violate it:

    -- check: receipt_numbers_are_gapless
    -- The receipts of an academic year are numbered 1, 2, 3 … up to its counter.
    SELECT academic_year_id FROM …

python -m db.books
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

__all__ = ["CHECKS", "Check", "Finding", "check_books", "check_books_of"]

_ENTRY = re.compile(r"^-- check: (?P<name>[a-z_]+)\n-- (?P<description>.+)\n", re.MULTILINE)
_FOLDER = Path(__file__).parent / "checks"
# The maximum number of violating rows that are listed.
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant. `description` states it; `sql` returns one row: `broken`, the number of violating rows, and `examples`, a few of their ids."""

    name: str
    description: str
    sql: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check. The invariant holds if `broken` is 0."""

    check: Check
    broken: int
    examples: list[UUID]


def _checks(folder: Path) -> Iterator[Check]:
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        found = list(_ENTRY.finditer(text))
        if not found or found[0].start() != 0:
            raise ValueError(f"{path.name} does not begin with a check")
        for entry, following in zip(found, [*found[1:], None], strict=True):
            rows = text[entry.end() : following.start() if following else None].strip().rstrip(";")
            sql = f"SELECT count(*) AS broken, (array_agg(id ORDER BY id))[:{_EXAMPLES}] AS examples FROM (\n{rows}\n) AS found (id)"
            yield Check(entry["name"], entry["description"], sql)


CHECKS = tuple(_checks(_FOLDER))


async def check_books(connection: Any) -> list[Finding]:
    """Runs all checks on one snapshot. `connection` is an asyncpg connection without a transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = [(check, await connection.fetchrow(check.sql)) for check in CHECKS]
    return [Finding(check, row["broken"], row["examples"] or []) for check, row in found]


def check_books_of(connection: "psycopg.Connection[Any]") -> list[Finding]:
    """Runs all checks in the current transaction of a psycopg connection."""
    found = [(check, connection.execute(check.sql).fetchone() or (0, None)) for check in CHECKS]
    return [Finding(check, row[0], row[1] or []) for check, row in found]


def main() -> None:
    """Prints the result of every check. Exits with status 1 if an invariant is violated."""
    from config import load_settings
    from db.cli import exit_on_error
    from db.embedded import database_url
    from db.migrate import MigrationError, schema_state_of

    with (
        exit_on_error("check-books", MigrationError),
        database_url(load_settings(), say=lambda text: print(text, file=sys.stderr)) as url,
        psycopg.connect(url) as connection,
    ):
        state = schema_state_of(url)
        if state.refusal or state.pending:
            raise MigrationError(state.refusal or "the database has pending migrations. Run `make migrate` first.")
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        findings = check_books_of(connection)
    for finding in findings:
        examples = f": {finding.broken}, such as {', '.join(map(str, finding.examples))}" if finding.broken else ""
        print(f"{'BROKEN' if finding.broken else 'ok':<7} {finding.check.description}{examples}")
    broken = sum(finding.broken > 0 for finding in findings)
    print(f"{len(findings) - broken} of {len(findings)} checks hold.")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
