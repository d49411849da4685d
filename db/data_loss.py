"""Determines the data that a rollback would lose, by running it in a transaction that is not committed and comparing before and after.

A rollback that runs outside a transaction cannot be tested this way. It may only create and drop indexes, which loses no data.
"""

import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

__all__ = ["DataLoss", "changes_indexes_alone", "count_rows", "data_losses"]

_COLUMNS = """
SELECT c.oid, a.attnum, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), pg_relation_filenode(c.oid),
    CASE WHEN d.adbin::text LIKE '{CONST %' THEN pg_get_expr(d.adbin, d.adrelid) ELSE 'NULL' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname = ANY (current_schemas(false)) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY c.relname, a.attnum
"""
_CHANGED = "SELECT relid, relname, n_tup_del, n_tup_upd FROM pg_stat_xact_user_tables WHERE relname NOT LIKE '%yoyo%'"
_INDEXES_ALONE = re.compile(r"(SET \w+ = '[^']*'|(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY [^;]*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DataLoss:
    """A loss of data: a dropped table, a dropped or converted column, or (not `is_dropped`) deleted or changed rows; `rows` is their number."""

    table: str
    rows: int
    column: str | None = None
    is_dropped: bool = True

    def __str__(self) -> str:
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        if not self.is_dropped:
            return f"{rows} of table {self.table}, deleted or changed"
        if self.column is not None:
            return f"column {self.table}.{self.column} with values in {rows}"
        return f"table {self.table} with {rows}"


def changes_indexes_alone(rollback: str) -> bool:
    """Returns whether a rollback's only statements are CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY and SET."""
    statements = re.sub(r"--.*", "", rollback).split(";")
    return all(_INDEXES_ALONE.fullmatch(" ".join(each.split())) for each in statements)


def data_losses(connection: "psycopg.Connection[Any]", rollback: str) -> list[DataLoss]:
    """Returns what the rollback would drop, delete or change. It is run and undone; the tables it touches are locked meanwhile."""
    before, (after, changed) = _columns(connection), _after(connection, rollback)
    tables = {oid: name for (oid, _), (name, *_) in before.items()}
    left = {oid for oid, _ in after}
    found = [DataLoss(name, count_rows(connection, name)) for oid, name in tables.items() if oid not in left]
    for key, (table, column, kind, _, default) in before.items():
        if key[0] in left and key not in after:
            # A constant default is restored together with the column, so rows that have it lose nothing.
            found.append(DataLoss(table, count_rows(connection, table, column, default), column))
        elif key[0] in left and after[key][2] != kind:
            found.append(DataLoss(table, count_rows(connection, table, column), column))
    for oid, rows in changed.items():
        if oid in tables:
            found.append(DataLoss(tables[oid], rows, is_dropped=False))
    return found


def count_rows(connection: "psycopg.Connection[Any]", table: str, column: str | None = None, default: str = "NULL") -> int:
    """Counts the rows of a table, or those whose value in `column` differs from its constant `default` (an SQL expression)."""
    condition: sql.Composable = sql.SQL("true")
    if column is not None:
        # Compared as text, because some types (json) have no equality operator.
        condition = sql.SQL("{}::text IS DISTINCT FROM ({})::text").format(sql.Identifier(column), sql.SQL(default))  # type: ignore[arg-type]  # from the catalog
    row = connection.execute(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(sql.Identifier(table), condition)).fetchone()
    return int(row[0]) if row else 0


_Columns = dict[tuple[int, int], tuple[str, str, str, int, str]]


def _columns(connection: "psycopg.Connection[Any]") -> _Columns:
    """Returns (table, column, type, file, constant default) by the oids of table and column, so that a renamed column is not a loss."""
    return {(oid, number): tuple(rest) for oid, number, *rest in connection.execute(_COLUMNS)}


def _after(connection: "psycopg.Connection[Any]", rollback: str) -> tuple[_Columns, dict[int, int]]:
    """Returns the columns after the rollback, and the number of rows deleted or changed in each table."""
    with connection.transaction() as transaction:
        rows_before = {oid: (name, done) for oid, name, done in _rows(connection)}
        files = {oid: (name, file) for (oid, _), (name, _, _, file, _) in _columns(connection).items()}
        connection.execute(rollback.encode())
        after = _columns(connection)
        changed = {oid: done - rows_before.get(oid, ("", 0))[1] for oid, _, done in _rows(connection)}
        # TRUNCATE and table rewrites delete rows without counting them in the statistics.
        now = {
            oid: (name, count_rows(connection, name))
            for (oid, _), (name, _, _, file, _) in after.items()
            if files.get(oid, (name, file))[1] != file
        }
        raise psycopg.Rollback(transaction)
    for oid, (_, rows) in now.items():
        gone = count_rows(connection, files[oid][0]) - rows
        changed[oid] = max(changed.get(oid, 0), gone)
    return after, {oid: rows for oid, rows in changed.items() if rows > 0}


def _rows(connection: "psycopg.Connection[Any]") -> list[tuple[int, str, int]]:
    return [(oid, name, deleted + updated) for oid, name, deleted, updated in connection.execute(_CHANGED)]
