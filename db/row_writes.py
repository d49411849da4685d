"""Single rows, written: inserted, changed from a version, with every broken rule told at once.

What may be written is declared beside the statements, and nothing else can be:

    -- record: subjects                 the table
    -- One line that says what for.
    code name description credits       the columns that a writer may give

Values travel as one JSON parameter that PostgreSQL reads by the table's own types, so that a change names only what it changes.
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
    """What was to be written breaks these rules; nothing was written."""

    def __init__(self, errors: list[DomainError]) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = errors


class NotThereError(Exception):
    """There is no row of this id."""


class _BreaksChecksError(Exception):
    """The row was not sent to be written: it breaks a CHECK or a NOT NULL."""


# The statements of one table that are kept, of at most 5 kB each.
_MOST_COMPILED = 200


class InUseError(Exception):
    """Other rows lead to this one."""


class StaleError(Exception):
    """The row has changed since the version that the change was made from."""


@dataclass(eq=False, slots=True)
class Record:
    """A table whose single rows are written, and the columns that a writer may give."""

    table: str
    purpose: str
    columns: tuple[str, ...]
    _compiled: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def insert_sql(self, columns: tuple[str, ...]) -> str:
        """$1 is the row as a JSON object; the answer its id."""
        names = ", ".join(("id", *columns))
        values = ", ".join(("coalesce(n.id, uuidv7())", *(f"n.{each}" for each in columns)))
        return self._made(
            "insert",
            columns,
            f"INSERT INTO {self.table} ({names}) SELECT {values} FROM jsonb_populate_record(NULL::{self.table}, $1::text::jsonb) AS n RETURNING id",
        )

    def update_sql(self, columns: tuple[str, ...]) -> str:
        """$1 are the changes as a JSON object, $2 is the row's id; the answer the id."""
        names, values = ", ".join(columns), ", ".join(f"n.{each}" for each in columns)
        return self._made(
            "update",
            columns,
            f"UPDATE {self.table} AS t SET ({names}) = (SELECT {values} FROM jsonb_populate_record(t, $1::text::jsonb) AS n) WHERE t.id = $2 RETURNING t.id",
        )

    def same_sql(self, columns: tuple[str, ...]) -> str:
        """$1 is a row as a JSON object, $2 an id: whether the row of this id has just these values; no row when there is none."""
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

    def reading_sql(self, column: str) -> str:
        """$1 is a JSON object with this column: PostgreSQL reads it by the column's type, or cannot."""
        return self._made(
            "reading", (column,), f"SELECT n.{column} IS NULL FROM jsonb_populate_record(NULL::{self.table}, $1::text::jsonb) AS n"
        )

    def column_sql(self, column: str) -> str:
        """$1 is a row's id; the answer is what stands in this column."""
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
        """The columns that are given, in the declared order: one statement for one set of them."""
        found = tuple(each for each in self.columns if each in values)
        unknown = values.keys() - set(found) - {"id"}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} may not be written in {self.table}")
        return found


async def insert(connection: Any, record: Record, values: Mapping[str, Any]) -> UUID:
    """Inserts a row; its id. A value of None leaves the column to its default. `id` may be given: a client's own.

    A second insert of one id with the same values is the first one told again, and answers its id. Raises BrokenRulesError with all of
    the table's rules that the row breaks, values that no column can hold among them, nor hold without rounding them.
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
            same = await connection.fetchval(record.same_sql(columns), row, given["id"])
            if same:
                found: UUID = given["id"]
                return found
        raise BrokenRulesError(await _all(connection, record, row, None, error)) from None


async def update(connection: Any, record: Record, row_id: UUID, version: int | None, changes: Mapping[str, Any]) -> UUID:
    """Changes a row that is still of this version (None: of whichever); its id.

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
    """Deletes a row; its id. Raises NotThereError, and InUseError when other rows lead to it."""
    try:
        async with connection.transaction():
            found: UUID | None = await connection.fetchval(f"DELETE FROM {record.table} WHERE id = $1 RETURNING id", row_id)
    except asyncpg.ForeignKeyViolationError:
        raise InUseError from None
    if found is None:
        raise NotThereError
    return found


async def _refuse_rounding(connection: Any, record: Record, values: Mapping[str, Any], row_id: UUID | None = None) -> None:
    """Raises BrokenRulesError when a number has more decimals than its column: PostgreSQL would round it and say nothing."""
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
    told = {each.field for each in found}
    raise BrokenRulesError([*found, *(each for each in broken if each.field not in told)])


async def _refuse_broken_checks(connection: Any, record: Record, row: str, row_id: UUID | None) -> None:
    if await violates_checks(connection, record.table, record.columns, row, row_id):
        raise _BreaksChecksError


async def _unreadable(
    connection: Any, record: Record, values: Mapping[str, Any], error: asyncpg.DataError, row_id: UUID | None = None
) -> list[DomainError]:
    """Which values are out of their columns' range, and what the others break."""
    found, readable = [], {}
    for column in record.ordered(values):
        try:
            async with connection.transaction():
                await connection.fetchval(record.reading_sql(column), to_json({column: values[column]}))
            readable[column] = values[column]
        except asyncpg.DataError:
            found.append(out_of_range(column))
    if not found:
        raise error
    broken = await _broken(connection, record, to_json(readable), row_id)
    told = {each.field for each in found}
    return [*found, *(each for each in broken if each.field not in told)]


async def _broken(connection: Any, record: Record, row: str, row_id: UUID | None) -> list[DomainError]:
    """The rules that a row breaks, but for columns that a trigger fills: no writer may give them."""
    may_be_given = {required(column).field for column in record.columns}
    found = await constraint_violations(connection, record.table, row, row_id)
    return [each for each in found if each.code != "REQUIRED" or each.field in may_be_given]


async def _all(
    connection: Any, record: Record, row: str, row_id: UUID | None, error: asyncpg.IntegrityConstraintViolationError
) -> list[DomainError]:
    """The rule that PostgreSQL stopped at, and every other one of the table's that the row breaks."""
    first = constraint_error(error)
    if first is None:
        raise error
    found = await _broken(connection, record, row, row_id)
    return found if first in found else [first, *found]


def to_json(values: Any) -> str:
    """Plain values as JSON: times and decimals as the text that PostgreSQL reads."""
    return json.dumps(values, default=_text)


def _text(value: Any) -> str:
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a value of a row")
