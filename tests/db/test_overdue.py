"""Tests that OVERDUE is computed when it is read, by the school's clock: it begins at midnight in the school's time zone, without any job."""

import asyncpg
import pytest

from auth.capabilities import NOUNS
from db.sql_catalog import queries
from tests.access.small_school import build, uid


@pytest.fixture
async def connection(fresh_database_url):
    connection = await asyncpg.connect(fresh_database_url)
    await build(connection)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("zone", "last_moment", "first_moment"),
    [
        ("UTC", "2025-09-01 23:59:59.999999+00", "2025-09-02 00:00:00+00"),
        ("Pacific/Honolulu", "2025-09-02 09:59:59.999999+00", "2025-09-02 10:00:00+00"),
        ("Pacific/Kiritimati", "2025-09-01 09:59:59.999999+00", "2025-09-01 10:00:00+00"),
        ("America/New_York", "2025-09-02 03:59:59.999999+00", "2025-09-02 04:00:00+00"),
    ],
)
async def test_a_charge_is_overdue_from_the_schools_midnight_after_its_due_date(connection, zone, last_moment, first_moment):
    """Checks a charge that is due on 1 September 2025."""
    await connection.execute("UPDATE school_settings SET time_zone = $1", zone)
    seen = []
    for moment in (last_moment, first_moment):
        await connection.execute("SELECT set_config('rollcall.now', $1, false)", moment)
        row = await connection.fetchrow(queries.payments.by("id", NOUNS).sql, [uid("payments:ann")])
        owed = await connection.fetchrow(queries.balances.statement(NOUNS).sql, [uid("students:ann")])
        seen.append((row["is_overdue"], owed["overdue"]))
    assert seen == [(False, 0), (True, 60)]


async def test_what_is_paid_waived_or_cancelled_is_never_overdue(connection):
    await connection.execute("SELECT set_config('rollcall.now', '2026-09-01 00:00:00+00', false)")
    await connection.execute(
        "INSERT INTO payment_transactions (payment_id, kind, amount, currency, reason) VALUES ($1, 'WAIVER', 60, 'EUR', 'x')",
        uid("payments:ann"),
    )
    await connection.execute(
        "INSERT INTO payment_transactions (payment_id, receipt_id, kind, amount, currency, method) VALUES ($1, $2, 'PAYMENT', 60, 'EUR', 'CASH')",
        uid("payments:ben"),
        uid("receipts:ben"),
    )
    await connection.execute(
        "INSERT INTO payment_transactions (payment_id, linked_id, kind, amount, currency, reason) VALUES ($1, $2, 'REFUND', 40, 'EUR', 'x')",
        uid("payments:cleo"),
        uid("payment_transactions:cleo"),
    )
    ids = [uid(f"payments:{label}") for label in ("ann", "ben", "cleo")]
    rows = {row["id"]: (row["status"], row["is_overdue"]) for row in await connection.fetch(queries.payments.by("id", NOUNS).sql, ids)}
    assert [rows[each] for each in ids] == [("PAID", False), ("PAID", False), ("REFUNDED", True)]
    await connection.execute("UPDATE payments SET cancelled_at = now(), cancel_reason = 'x' WHERE id = $1", ids[2])
    [row] = await connection.fetch(queries.payments.by("id", NOUNS).sql, ids[2:])
    assert (row["status"], row["is_overdue"]) == ("CANCELLED", False)
