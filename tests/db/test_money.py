"""Tests that the amounts that the database derives are those of the rules."""

from decimal import Decimal

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.money import Totals, balance, exponent, status
from tests.rules.test_allocations import totals

# Sets by hand the columns that the ledger's trigger maintains, for numbered charges. It is rolled back.
LEDGERS = """WITH asked AS (SELECT * FROM unnest($1::numeric[], $2::numeric[], $3::numeric[], $4::numeric[], $5::boolean[])
    WITH ORDINALITY AS a (amount, paid, refunded, waived, is_cancelled, n)), made AS (
    INSERT INTO payments (student_id, fee_category_id, academic_year_id, due_date, currency, description, amount, paid_total, refunded_total, waived_total,
        cancelled_at, cancel_reason)
    SELECT s.id, f.id, y.id, current_date, 'EUR', a.n::text, a.amount, a.paid, a.refunded, a.waived,
        CASE WHEN a.is_cancelled THEN now() END, CASE WHEN a.is_cancelled THEN 'x' END
    FROM asked a, (SELECT id FROM students LIMIT 1) s, (SELECT id FROM fee_categories LIMIT 1) f, (SELECT id FROM academic_years LIMIT 1) y
    RETURNING description::int AS n, status, balance)
SELECT status, balance FROM made ORDER BY n"""


async def derived(connection, ledgers):
    """Returns the status and the balance that the database derives for each of these ledgers."""
    columns = [[getattr(each, name) for each in ledgers] for name in ("amount", "paid", "refunded", "waived", "is_cancelled")]
    transaction = connection.transaction()
    await transaction.start()
    try:
        return [tuple(row) for row in await connection.fetch(LEDGERS, *columns)]
    finally:
        await transaction.rollback()


async def test_the_stored_status_and_balance_are_the_rules_function_of_the_ledger(demo_url):
    drawn: list[list[Totals]] = []

    @settings(max_examples=30, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(totals(), min_size=1, max_size=40))
    def draw(ledgers):
        drawn.append(ledgers)

    draw()
    corners = [
        Totals(Decimal(10)), Totals(Decimal(10), Decimal(4)), Totals(Decimal(10), Decimal(10)), Totals(Decimal(10), Decimal(4), Decimal(4)),
        Totals(Decimal(10), Decimal(6), Decimal(2), Decimal(6)), Totals(Decimal(10), waived=Decimal(10)), Totals(Decimal(10), is_cancelled=True),
        Totals(Decimal(10), Decimal(3), Decimal(3), Decimal(10)), Totals(Decimal(10), Decimal(3), Decimal(3), is_cancelled=True),
    ]  # fmt: skip
    connection = await asyncpg.connect(demo_url)
    try:
        for ledgers in [corners, *drawn]:
            assert await derived(connection, ledgers) == [(status(each), balance(each)) for each in ledgers]
    finally:
        await connection.close()
    assert {status(each) for each in corners} == {"PENDING", "PARTIAL", "PAID", "REFUNDED", "WAIVED", "CANCELLED"}


async def test_the_databases_smallest_units_are_the_rules(demo_url):
    connection = await asyncpg.connect(demo_url)
    try:
        letters = [chr(n) for n in range(ord("A"), ord("Z") + 1)]
        codes = [a + b + c for a in letters for b in letters for c in letters]
        found = await connection.fetch("SELECT c AS code, currency_exponent(c) AS decimals FROM unnest($1::text[]) AS c", codes)
    finally:
        await connection.close()
    assert {row["code"]: row["decimals"] for row in found} == {code: exponent(code) for code in codes}


async def test_the_database_has_the_same_decimals_for_every_currency(database_url):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = [a + b + c for a in letters for b in letters for c in letters]
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT code, currency_exponent(code) AS decimals FROM unnest($1::text[]) AS code", codes)
    finally:
        await connection.close()
    assert [row["code"] for row in rows if row["decimals"] != exponent(row["code"])] == []
