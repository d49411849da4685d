"""Inserts, updates and deletes single rows, and reports all the rules that a row breaks at once.

A table can be written only where a `record` entry in `db/sql/*.sql` declares it:

    -- record: subjects                 the table
    -- Subjects, by their codes.        what it is for
    code name description credits       the columns that a writer may give

Values travel as one JSON parameter that PostgreSQL reads by the table's own types, so that an update names only what it changes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from db.constraint_check import constraint_violations, numeric_decimals, violates_checks
from db.errors import DomainError, constraint_error, out_of_range, required, too_fine
from rules.decimals import decimals

__all__ = ["BrokenRulesError", "InUseError", "NotThereError", "Record", "StaleError", "delete", "insert", "to_json", "update"]


class BrokenRulesError(Exception):
    """Raised when a row breaks these rules. Nothing was written."""

    def __init__(self, errors: list[DomainError]) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = errors


class NotThereError(Exception):
    """Raised when no row has this id."""


class _BreaksChecksError(Exception):
    """Raised when a row breaks a CHECK or a NOT NULL. It was not sent to PostgreSQL."""


# The statements of one table that are kept, of at most 5 kB each.
_MOST_COMPILED = 200


class InUseError(Exception):
    """Raised when a row cannot be deleted because other rows refer to it."""


class StaleError(Exception):
    """Raised when a row has changed since the version on which the update is based."""


@dataclass(eq=False, slots=True)
class Record:
    """A table whose single rows can be written, and the columns that a writer may give."""

    table: str
    purpose: str
    columns: tuple[str, ...]
    _compiled: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def insert_sql(self, columns: tuple[str, ...]) -> str:
        """Returns SQL that inserts a row ($1, a JSON object) and returns its id."""
        names = ", ".join(("id", *columns))
        values = ", ".join(("coalesce(n.id, uuidv7())", *(f"n.{each}" for each in columns)))
        return self._made(
            "insert",
            columns,
            f"INSERT INTO {self.table} ({names}) SELECT {values} FROM jsonb_populate_record(NULL::{self.table}, $1::text::jsonb) AS n RETURNING id",
        )

    def update_sql(self, columns: tuple[str, ...]) -> str:
        """Returns SQL that changes the row of an id ($2) as a JSON object says ($1) and returns the id."""
        names, values = ", ".join(columns), ", ".join(f"n.{each}" for each in columns)
        return self._made(
            "update",
            columns,
            f"UPDATE {self.table} AS t SET ({names}) = (SELECT {values} FROM jsonb_populate_record(t, $1::text::jsonb) AS n) WHERE t.id = $2 RETURNING t.id",
        )

    def is_unchanged_sql(self, columns: tuple[str, ...]) -> str:
        """Returns SQL for whether the row of an id ($2) has just the values of a JSON object ($1); it returns no row if no row has the id."""
        given = ", ".join(f"n.{each}" for each in columns)
        there = ", ".join(f"t.{each}" for each in columns)
        # SQL compares no rows without columns: two of them are the same.
        same = f"({there}) IS NOT DISTINCT FROM ({given})" if columns else "true"
        return self._made(
            "same",
            columns,
            f"SELECT {same} AS same FROM {self.table} AS t,"
            f" jsonb_populate_record(NULL::{self.table}, $1::text::jsonb) AS n WHERE t.id = $2",
        )

    def parse_value_sql(self, column: str) -> str:
        """Returns SQL that fails if PostgreSQL cannot read the value in a JSON object ($1) by the column's type."""
        return self._made(
            "reading", (column,), f"SELECT n.{column} IS NULL FROM jsonb_populate_record(NULL::{self.table}, $1::text::jsonb) AS n"
        )

    def column_sql(self, column: str) -> str:
        """Returns SQL for the value in this column of the row of an id ($1)."""
        return self._made("column", (column,), f"SELECT {column} FROM {self.table} WHERE id = $1")

    def _made(self, kind: str, columns: tuple[str, ...], sql: str) -> str:
        unknown = set(columns) - set(self.columns)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} may not be written in {self.table}")
        # Which columns are written is up to clients: not all sets of them that ever were are kept.
        if len(self._compiled) >= _MOST_COMPILED:
            self._compiled.clear()
        return self._compiled.setdefault((kind, columns), sql)

    def ordered(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the columns that are given, in the declared order, so that one set of columns has one statement.

        Raises ValueError for a column that may not be written.
        """
        found = tuple(each for each in self.columns if each in values)
        unknown = values.keys() - set(found) - {"id"}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} may not be written in {self.table}")
        return found


async def insert(connection: Any, record: Record, values: Mapping[str, Any]) -> UUID:
    """Inserts a row and returns its id. A value of None leaves the column to its default; `id` may be given, as a client's own.

    A repeated insert of one id with the same values changes nothing and returns the id. Raises BrokenRulesError with all the rules of the table
    that the row breaks, including values that their column cannot hold exactly.
    """
    given = {name: value for name, value in values.items() if value is not None}
    await _refuse_rounding(connection, record, given)
    columns = record.ordered(given)
    row = to_json(given)
    try:
        async with connection.transaction():
            await _refuse_broken_checks(connection, record, row, None)
            made: UUID = await connection.fetchval(record.insert_sql(columns), row)
            return made
    except _BreaksChecksError:
        raise BrokenRulesError(await _broken(connection, record, row, None)) from None
    except asyncpg.DataError as error:
        raise BrokenRulesError(await _unreadable(connection, record, given, error)) from None
    except asyncpg.IntegrityConstraintViolationError as error:
        if "id" in given:
            same = await connection.fetchval(record.is_unchanged_sql(columns), row, given["id"])
            if same:
                found: UUID = given["id"]
                return found
        raise BrokenRulesError(await _all(connection, record, row, None, error)) from None


async def update(connection: Any, record: Record, row_id: UUID, version: int | None, changes: Mapping[str, Any]) -> UUID:
    """Changes a row and returns its id, if the row still has this version (None: any version).

    Raises NotThereError, StaleError, and BrokenRulesError with all rules that the changed row breaks. No changes write nothing.
    """
    columns = record.ordered(changes)
    there = await connection.fetchrow(
        f"SELECT {'version' if version is not None else 'id'} FROM {record.table} WHERE id = $1 FOR UPDATE", row_id
    )
    if there is None:
        raise NotThereError
    if version is not None and there["version"] != version:
        raise StaleError
    if not columns:
        return row_id
    await _refuse_rounding(connection, record, changes, row_id)
    row = to_json(changes)
    try:
        async with connection.transaction():
            await _refuse_broken_checks(connection, record, row, row_id)
            await connection.execute(record.update_sql(columns), row, row_id)
    except _BreaksChecksError:
        raise BrokenRulesError(await _broken(connection, record, row, row_id)) from None
    except asyncpg.DataError as error:
        raise BrokenRulesError(await _unreadable(connection, record, changes, error, row_id)) from None
    except asyncpg.IntegrityConstraintViolationError as error:
        raise BrokenRulesError(await _all(connection, record, row, row_id, error)) from None
    return row_id


async def delete(connection: Any, record: Record, row_id: UUID) -> UUID:
    """Deletes a row and returns its id. Raises NotThereError, and InUseError if other rows refer to it."""
    try:
        async with connection.transaction():
            found: UUID | None = await connection.fetchval(f"DELETE FROM {record.table} WHERE id = $1 RETURNING id", row_id)
    except asyncpg.ForeignKeyViolationError:
        raise InUseError from None
    if found is None:
        raise NotThereError
    return found


async def _refuse_rounding(connection: Any, record: Record, values: Mapping[str, Any], row_id: UUID | None = None) -> None:
    """Raises BrokenRulesError if a number has more decimals than its column: PostgreSQL would round it without an error."""
    numbers = {name: value for name, value in values.items() if isinstance(value, Decimal)}
    if not numbers:
        return
    kept = await numeric_decimals(connection, record.table)
    fine = {name: kept[name] for name, value in numbers.items() if name in kept and decimals(value) > kept[name]}
    if not fine:
        return
    found = [too_fine(name, most) for name, most in fine.items()]
    others = {name: value for name, value in values.items() if name not in fine}
    try:
        async with connection.transaction():
            broken = await _broken(connection, record, to_json(others), row_id)
    except asyncpg.DataError as error:
        broken = await _unreadable(connection, record, others, error, row_id)
    reported = {each.field for each in found}
    raise BrokenRulesError([*found, *(each for each in broken if each.field not in reported)])


async def _refuse_broken_checks(connection: Any, record: Record, row: str, row_id: UUID | None) -> None:
    if await violates_checks(connection, record.table, record.columns, row, row_id):
        raise _BreaksChecksError


async def _unreadable(
    connection: Any, record: Record, values: Mapping[str, Any], error: asyncpg.DataError, row_id: UUID | None = None
) -> list[DomainError]:
    """Returns the values that are out of their columns' range, and the rules that the others break."""
    found, readable = [], {}
    for column in record.ordered(values):
        try:
            async with connection.transaction():
                await connection.fetchval(record.parse_value_sql(column), to_json({column: values[column]}))
            readable[column] = values[column]
        except asyncpg.DataError:
            found.append(out_of_range(column))
    if not found:
        raise error
    broken = await _broken(connection, record, to_json(readable), row_id)
    reported = {each.field for each in found}
    return [*found, *(each for each in broken if each.field not in reported)]


async def _broken(connection: Any, record: Record, row: str, row_id: UUID | None) -> list[DomainError]:
    """Returns the rules that a row breaks, except those of columns that a trigger fills and no writer may give."""
    may_be_given = {required(column).field for column in record.columns}
    found = await constraint_violations(connection, record.table, row, row_id)
    return [each for each in found if each.code != "REQUIRED" or each.field in may_be_given]


async def _all(
    connection: Any, record: Record, row: str, row_id: UUID | None, error: asyncpg.IntegrityConstraintViolationError
) -> list[DomainError]:
    """Returns the rule that PostgreSQL stopped at and all others of the table that the row breaks."""
    first = constraint_error(error)
    if first is None:
        raise error
    found = await _broken(connection, record, row, row_id)
    return found if first in found else [first, *found]


def to_json(values: Any) -> str:
    """Returns plain values as JSON, with times and decimals as the text that PostgreSQL reads."""
    return json.dumps(values, default=_text)


def _text(value: Any) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a value of a row")
