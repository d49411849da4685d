"""Statements of account: every charge, every transaction, and the balance after each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.rows import Row
from db.sql_catalog import queries
from execution.errors import Refusal
from execution.loaders import Loader
from execution.time_slices import pause, sliced
from resolvers.context import Context
from rules.account_statements import running_balances

__all__ = ["MAX_ENTRIES", "Entry", "Statement", "statements_of_student"]

# Per currency; the SQL statement reads one more to notice a longer one.
MAX_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a statement: `amount` is added to what is owed, `balance` is owed after it."""

    occurred_at: datetime
    kind: str
    amount: Decimal
    balance: Decimal
    description: str | None
    payment_id: UUID
    transaction_id: UUID | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A student's account in one currency over a period."""

    currency: str
    opening_balance: Decimal
    entries: list[Entry]
    closing_balance: Decimal


async def _batch(context: Context, keys: Sequence[UUID], period: tuple[date, date]) -> list[Any]:
    found: dict[UUID, dict[str, list[Any]]] = {key: {} for key in keys}
    values = {"keys": keys, "from_date": period[0], "to_date": period[1]}
    async for some in sliced(await context.fetch(queries.statements, Row, **values), 1_000):
        for row in some:
            found[row["key"]].setdefault(row["currency"], []).append(row)
    statements: list[Any] = []
    for accounts in found.values():
        await pause()
        statements.append(_too_long(accounts) or [_statement(*account) for account in accounts.items()])
    return statements


def _too_long(accounts: dict[str, list[Any]]) -> Refusal | None:
    if all(len(rows) <= MAX_ENTRIES + 1 for rows in accounts.values()):
        return None
    return Refusal("BAD_USER_INPUT", f"The period has more than {MAX_ENTRIES} entries. Ask for a shorter one.", argument="fromDate")


def _statement(currency: str, rows: list[Any]) -> Statement:
    opening, moves = rows[0]["adds"], rows[1:]
    balances = running_balances(opening, [row["adds"] for row in moves])
    entries = [
        Entry(row["happened_at"], row["kind"], row["adds"], balance, row["note"], row["payment_id"], row["transaction_id"])
        for row, balance in zip(moves, balances, strict=True)
    ]
    return Statement(currency, opening, entries, balances[-1] if balances else opening)


# Keys are ids of students; the argument is (first day, last day).
statements_of_student = Loader(_batch, "statements")
