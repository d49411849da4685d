"""Tests that every rule that the database enforces has a clear error, and that every rule of the ledger and the history is enforced."""

import json
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import psycopg
import pytest
import pytest_asyncio

from db.constraint_messages import CONSTRAINTS, INTERNAL, foreign_key
from db.errors import constraint_error
from db.sql_catalog import queries
from tests.access.small_school import build, uid

NAMES = """
SELECT t.relname, k.conname, k.contype = 'f' FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
WHERE k.connamespace = 'public'::regnamespace AND k.contype IN ('u', 'c', 'x', 'f') AND t.relname !~ 'yoyo|migration'
UNION ALL
SELECT t.relname, c.relname, false FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE i.indisunique AND t.relnamespace = 'public'::regnamespace AND t.relname !~ 'yoyo|migration'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""


def test_every_constraint_has_its_error_or_is_internal(database_url):
    with psycopg.connect(database_url) as connection:
        there = list(connection.execute(NAMES))
    names = {name for _, name, foreign in there if not foreign}
    # Rules that triggers enforce are named only in the migrations.
    raised = {
        name
        for name in CONSTRAINTS
        if name.endswith(("_append_only", "_inside_year_check", "_same_year_check", "_zero_check", "_parts_check"))
    }
    raised |= {"school_settings_time_zone_check", "payments_unchanged_check", "grades_maximum_check", "assessments_scores_check"}
    raised |= {f"{table}_{lock}_check" for table in ("assessments", "grades", "grade_postings") for lock in ("posted", "window_closed")}
    raised |= {"final_grades_with_posting_check", "semesters_window_closed_check"}
    raised |= {f"payment_transactions_{name}_check" for name in ("currency", "cancelled", "contra", "refund", "refunds", "has_refunds")}
    # Those of the noun's own file are entered when the catalogue is loaded.
    assert queries.constraints.items() <= CONSTRAINTS.items()
    for name in sorted(names - CONSTRAINTS.keys() - INTERNAL):
        pytest.fail(
            f"nothing says what is answered when {name} is broken: state it beside the record, `-- constraint {name}: CODE field message`"
        )
    assert names == (set(CONSTRAINTS) - raised) | set(INTERNAL)
    for table, name, foreign in there:
        if foreign:
            assert foreign_key(name, table), name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def school(database_url):
    connection = await asyncpg.connect(database_url)
    await build(connection)
    yield connection
    await connection.close()


async def broken(connection, statement, *arguments):
    """Runs a statement that must break a rule, rolls it back, and returns the error."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement, *arguments)
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except asyncpg.PostgresError as error:
        known = constraint_error(error)
        assert known is not None, error  # noqa: PT017 - which of the two statements breaks it depends on the rule
        return known.code, known.field
    finally:
        await transaction.rollback()
    raise AssertionError("nothing was broken")


PAY = "INSERT INTO payment_transactions (payment_id, receipt_id, kind, amount, currency, method, linked_id, corrected_kind) VALUES ($1, $2, $3, $4, $5, 'CASH', $6, $7)"


async def entry(connection, kind, amount, *, currency="EUR", linked=None, corrected=None, charge="ann"):
    receipt = uid(f"receipts:{charge}") if kind == "PAYMENT" else None
    return await broken(connection, PAY, uid(f"payments:{charge}"), receipt, kind, amount, currency, linked, corrected)


async def charge(connection, label="ann"):
    return dict(
        await connection.fetchrow(
            "SELECT paid_total, refunded_total, waived_total, balance, status FROM payments WHERE id = $1", uid(f"payments:{label}")
        )
    )


async def test_a_payment_beyond_what_is_owed_is_refused(school):
    assert await entry(school, "PAYMENT", 61) == ("OVERPAID", "amount")
    assert (await charge(school))["balance"] == 60


async def test_a_refund_beyond_what_was_paid_is_refused(school):
    assert await entry(school, "REFUND", 41, linked=uid("payment_transactions:ann")) == ("REFUND_TOO_LARGE", "amount")
    assert await entry(school, "REFUND", 1) == ("REQUIRED", "id")


async def test_a_waiver_beyond_what_is_owed_is_refused(school):
    assert await entry(school, "WAIVER", 101) == ("WAIVER_TOO_LARGE", "amount")
    assert await entry(school, "WAIVER", 61) == ("OVERPAID", "amount")


async def test_another_currency_is_refused(school):
    assert await entry(school, "PAYMENT", 1, currency="USD") == ("WRONG_CURRENCY", "currency")


async def test_less_than_the_smallest_unit_is_refused(school):
    assert (await entry(school, "PAYMENT", Decimal("0.001")))[1] == "amount"


async def test_an_entry_is_taken_back_once_by_its_equal(school):
    paid = uid("payment_transactions:ann")
    assert (await entry(school, "CORRECTION", 39, linked=paid, corrected="PAYMENT"))[1] == "linkedId"
    transaction = school.transaction()
    await transaction.start()
    try:
        await school.execute(PAY, uid("payments:ann"), None, "CORRECTION", 40, "EUR", paid, "PAYMENT")
        assert (await charge(school))["status"] == "PENDING"
        assert await entry(school, "CORRECTION", 40, linked=paid, corrected="PAYMENT") == ("TAKEN", "linkedId")
    finally:
        await transaction.rollback()


STATUSES = [
    ([], "PARTIAL"),
    ([("PAYMENT", 60)], "PAID"),
    ([("REFUND", 40)], "REFUNDED"),
    ([("REFUND", 40), ("PAYMENT", 100)], "PAID"),
    ([("WAIVER", 60)], "PAID"),
    ([("REFUND", 40), ("WAIVER", 100)], "WAIVED"),
    ([("REFUND", 10)], "PARTIAL"),
]


@pytest.mark.parametrize(("moves", "status"), STATUSES)
async def test_the_status_is_a_function_of_the_ledger(school, moves, status):
    transaction = school.transaction()
    await transaction.start()
    try:
        for kind, amount in moves:
            receipt = uid("receipts:ann") if kind == "PAYMENT" else None
            linked = uid("payment_transactions:ann") if kind == "REFUND" else None
            await school.execute(PAY, uid("payments:ann"), receipt, kind, amount, "EUR", linked, None)
        assert (await charge(school))["status"] == status
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("table", ["payment_transactions", "receipts", "audit_logs", "payments"])
async def test_nothing_of_the_books_is_deleted_and_entries_are_not_edited(school, table):
    assert (await broken(school, f"DELETE FROM {table}"))[0] == "NOT_ALLOWED"
    if table != "payments":
        assert (await broken(school, f"UPDATE {table} SET created_at = now()"))[0] == "NOT_ALLOWED"
    else:
        assert (await broken(school, "UPDATE payments SET amount = amount + 1"))[0] == "NOT_ALLOWED"


async def test_nobody_sits_in_two_classes_on_one_day(school):
    insert = "INSERT INTO student_class_history (student_id, class_id, from_date, reason) VALUES ($1, $2, $3, 'MOVED')"
    assert await broken(school, insert, uid("students:ann"), uid("classes:B"), date(2025, 12, 1)) == ("OVERLAP", "fromDate")


async def test_the_current_class_and_the_enrolment_follow_the_history(school):
    current = "SELECT class_id FROM students WHERE id = $1"
    counts = "SELECT name, current_enrollment FROM classes ORDER BY name"
    assert await school.fetchval(current, uid("students:dan")) == uid("classes:B")
    assert await school.fetchval(current, uid("students:eve")) is None
    assert dict(await school.fetch(counts)) == {"7A": 2, "7B": 2}
    transaction = school.transaction()
    await transaction.start()
    try:
        await school.execute(
            "UPDATE student_class_history SET to_date = '2026-03-01', end_reason = 'MOVED' WHERE student_id = $1", uid("students:ann")
        )
        assert dict(await school.fetch(counts)) == {"7A": 1, "7B": 2}
        await school.execute(
            "INSERT INTO student_class_history (student_id, class_id, from_date, reason) VALUES ($1, $2, '2026-03-02', 'MOVED')",
            uid("students:ann"),
            uid("classes:B"),
        )
        assert await school.fetchval(current, uid("students:ann")) == uid("classes:B")
        assert dict(await school.fetch(counts)) == {"7A": 1, "7B": 3}
    finally:
        await transaction.rollback()


@pytest.mark.parametrize(
    ("statement", "code", "field"),
    [
        ("INSERT INTO academic_years (name, start_date, end_date) VALUES ('x', '2026-07-01', '2027-06-30')", "OVERLAP", "startDate"),
        ("INSERT INTO semesters (academic_year_id, name, start_date, end_date) SELECT id, 'x', '2026-08-01', '2026-09-01' FROM academic_years", "OUTSIDE_YEAR", "startDate"),
        ("UPDATE academic_years SET end_date = '2026-06-01'", "OUTSIDE_YEAR", "startDate"),
        ("UPDATE school_settings SET time_zone = 'Mars/Olympus'", "INVALID", "timeZone"),
        ("INSERT INTO users (role, first_name, last_name, email) VALUES ('ADMIN', 'A', 'B', 'ANN@test.school')", "TAKEN", "email"),
        ("UPDATE attendance SET excused = true", "INVALID", "excused"),
        ("INSERT INTO attendance (student_id, class_id, date, status) SELECT student_id, class_id, date, status FROM attendance WHERE subject_id IS NULL", "TAKEN", "studentId"),
        ("UPDATE grades SET score = NULL", "INVALID", "score"),
        ("INSERT INTO grading_scales (name) VALUES ('without a zero')", "INVALID", "bounds"),
    ],
)  # fmt: skip
async def test_rules_of_the_school_are_held_by_the_database(school, statement, code, field):
    assert await broken(school, statement) == (code, field)


async def test_a_grade_follows_its_assessment(school):
    grade = "SELECT is_published, percentage FROM grades WHERE id = $1"
    assert tuple(await school.fetchrow(grade, uid("grades:ann_m2"))) == (False, 80)
    transaction = school.transaction()
    await transaction.start()
    try:
        await school.execute("UPDATE assessments SET published_at = now(), max_score = 16 WHERE id = $1", uid("assessments:m2"))
        assert tuple(await school.fetchrow(grade, uid("grades:ann_m2"))) == (True, 50)
    finally:
        await transaction.rollback()


async def test_the_audit_keeps_old_values_and_who_and_when_but_no_secrets(school):
    user = uid("user:ann")
    transaction = school.transaction()
    await transaction.start()
    try:
        await school.execute(
            "SELECT set_config('rollcall.user_id', $1, true), set_config('rollcall.request_id', 'r-7', true)", str(uid("user:admin"))
        )
        await school.execute("UPDATE users SET phone = '555-0199', password_hash = 'x' WHERE id = $1", user)
        entry = await school.fetchrow("SELECT * FROM audit_logs WHERE record_id = $1 AND action = 'UPDATE' ORDER BY id DESC LIMIT 1", user)
        assert (entry["user_id"], entry["request_id"], entry["table_name"]) == (uid("user:admin"), "r-7", "users")
        assert json.loads(entry["old_values"]) == {"phone": "555-0100", "password_hash": "hidden"}
        count = "SELECT count(*) FROM audit_logs"
        before = await school.fetchval(count)
        await school.execute("UPDATE users SET phone = phone WHERE id = $1", user)
        assert await school.fetchval(count) == before, "what changes nothing is not audited"
    finally:
        await transaction.rollback()


async def test_keys_are_in_the_order_of_time(school):
    made = [row["id"] for row in await school.fetch("SELECT uuidv7() AS id FROM generate_series(1, 50)")]
    assert all(isinstance(each, UUID) and each.version == 7 for each in made)
    later = await school.fetchval("SELECT uuidv7()")
    assert later.bytes[:6] >= made[0].bytes[:6]
