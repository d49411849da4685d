"""Generates payments to record, each of one charge in full, with its own idempotency key."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg

from benchmarks.contest.load import Exchange
from benchmarks.writing.registers import accepted, mutation

__all__ = ["RECORD", "Owed", "owed", "payments"]

RECORD = """mutation Record($input: RecordPaymentInput!) {
  recordPayment(input: $input) { receipt { id number } charges { id status balance } userErrors { field code message } }
}"""
# (charge, amount owed, currency)
Owed = tuple[UUID, Decimal, str]


def owed(url: str) -> list[Owed]:
    """Returns the unpaid charges of this year."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT p.id, trim_scale(p.balance), p.currency FROM payments p JOIN academic_years y ON y.id = p.academic_year_id AND y.is_current"
            " WHERE p.status = 'PENDING' ORDER BY hashtext(p.id::text)"
        ).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


def payments(charges: Iterator[Owed], token: str) -> Iterator[Exchange]:
    """Yields payments of these charges; several connections may share the iterator of charges."""
    for charge, amount, currency in charges:
        given = {
            "idempotencyKey": str(uuid4()),
            "amount": str(amount),
            "currency": currency,
            "method": "CASH",
            "allocations": [{"chargeId": f"chg_{charge.hex}"}],
        }
        yield mutation(token, RECORD, given, accepted)
