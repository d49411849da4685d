"""Tests the consistency checks: they find nothing in a consistent school, and name each violation."""

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import psycopg
import pytest

from db.books import CHECKS, check_books, check_books_of

# For each check, a statement that violates it, run without the triggers and constraints that forbid it, as a restored backup or psql could.
BREAKS = {
    "charges_equal_their_ledger": "UPDATE payments SET paid_total = paid_total + 1 WHERE id = (SELECT id FROM payments WHERE status = 'PENDING' LIMIT 1)",
    "charges_name_their_latest_movement": "UPDATE payments SET transaction_id = NULL WHERE id = (SELECT id FROM payments WHERE status = 'PAID' LIMIT 1)",
    "receipt_numbers_are_gapless": "UPDATE receipts SET number = number + 100000 WHERE number = 1",
    "receipt_numbers_begin_at_one": "UPDATE receipts SET number = 2 WHERE number = 1",
    "receipts_are_for_a_payment": "UPDATE payment_transactions SET receipt_id = NULL WHERE receipt_id = (SELECT id FROM receipts LIMIT 1)",
    "entries_are_in_their_charges_currency": "UPDATE payment_transactions SET currency = 'USD' WHERE id = (SELECT id FROM payment_transactions LIMIT 1)",
    "amounts_are_whole_units": "UPDATE payment_transactions SET amount = 0.001 WHERE id = (SELECT id FROM payment_transactions LIMIT 1)",
    "refunds_are_within_their_payment": "UPDATE payment_transactions SET amount = amount + 1 WHERE id = (SELECT id FROM payment_transactions WHERE kind = 'REFUND' LIMIT 1)",
    "entries_lead_to_what_they_are_about": "UPDATE payment_transactions SET linked_id = NULL WHERE id = (SELECT id FROM payment_transactions WHERE kind = 'REFUND' LIMIT 1)",
    "charges_are_not_paid_beyond_what_is_owed": "UPDATE payments SET paid_total = amount + 1 WHERE id = (SELECT id FROM payments WHERE status = 'PAID' LIMIT 1)",
    "charges_stand_as_their_ledger_says": "UPDATE payments SET paid_total = amount WHERE id = (SELECT id FROM payments WHERE status = 'PENDING' LIMIT 1)",
    "gateway_payments_are_booked_once": """UPDATE payment_transactions SET gateway = 'stripe', gateway_id = 'pi_1' WHERE id IN
        (SELECT id FROM payment_transactions WHERE kind = 'PAYMENT' LIMIT 2)""",
    "idempotency_answers_lead_somewhere": """INSERT INTO idempotency_keys (user_id, mutation, key, arguments_hash, answer)
        SELECT id, 'RecordPayment', 'k', sha256('x'), jsonb_build_object('receipt', uuidv7()) FROM users LIMIT 1""",
    "current_class_is_the_open_membership": "UPDATE students SET class_id = NULL WHERE id = (SELECT id FROM students WHERE class_id IS NOT NULL LIMIT 1)",
    "who_left_is_in_no_class": "UPDATE students SET is_active = false WHERE id = (SELECT id FROM students WHERE class_id IS NOT NULL LIMIT 1)",
    "enrolment_is_counted_right": "UPDATE classes SET current_enrollment = 7000 WHERE id = (SELECT id FROM classes LIMIT 1)",
    "memberships_are_of_their_classs_year": """UPDATE student_class_history h SET academic_year_id = y.id FROM academic_years y
        WHERE h.id = (SELECT id FROM student_class_history LIMIT 1) AND y.id <> h.academic_year_id""",
    "history_is_gapless": """UPDATE student_class_history SET to_date = to_date - 1 WHERE id = (SELECT h.id FROM student_class_history h
        JOIN student_class_history n ON n.student_id = h.student_id AND n.from_date = h.to_date + 1 AND h.to_date > h.from_date LIMIT 1)""",
    "sort_keys_are_copied": "UPDATE teachers SET sort_key = 'zz' WHERE id = (SELECT id FROM teachers LIMIT 1)",
    "marks_belong_to_a_register": "DELETE FROM registers WHERE id = (SELECT id FROM registers LIMIT 1)",
    "marks_are_of_who_was_in_the_class": "UPDATE attendance SET date = '2001-01-01' WHERE id = (SELECT id FROM attendance WHERE subject_id IS NULL LIMIT 1)",
    "registers_lie_inside_their_year": "UPDATE registers SET date = '2001-01-01' WHERE id = (SELECT id FROM registers LIMIT 1)",
    "grades_say_what_their_assessment_says": "UPDATE grades SET is_published = NOT is_published WHERE id = (SELECT id FROM grades LIMIT 1)",
    "rollbacks_lost_nothing": "INSERT INTO migration_losses (migration_id, table_name, rows_lost) VALUES ('023_create_final_grades', 'final_grades', 4800)",
    "audited_records_are_there": "INSERT INTO audit_logs (record_id, table_name, action) VALUES (uuidv7(), 'grade_postings', 'INSERT')",
    "postings_have_final_grades": "DELETE FROM final_grades WHERE posting_id = (SELECT id FROM grade_postings LIMIT 1)",
    "postings_are_numbered_without_gaps": """UPDATE grade_postings SET number = 3
        WHERE id = (SELECT id FROM grade_postings WHERE number = 1 LIMIT 1)""",
    "registers_have_marks": "DELETE FROM attendance WHERE (class_id, date) = (SELECT class_id, date FROM registers WHERE subject_id IS NULL LIMIT 1)",
    "postings_have_everyone": "DELETE FROM final_grades WHERE id = (SELECT id FROM final_grades LIMIT 1)",
    "final_grades_say_what_their_posting_says": "UPDATE final_grades SET number = 2 WHERE id = (SELECT id FROM final_grades LIMIT 1)",
    "final_letters_are_the_scales": "UPDATE final_grades SET letter = 'A' WHERE id = (SELECT id FROM final_grades WHERE letter = 'B' LIMIT 1)",
    "posted_marks_are_unchanged": """UPDATE grades SET score = score - 1, percentage = percentage - 100 / a.max_score, updated_at = now() FROM assessments a
        WHERE a.id = assessment_id AND grades.id = (SELECT g.id FROM grades g JOIN grade_postings USING (class_id, subject_id, semester_id)
        WHERE g.score > 1 LIMIT 1)""",
}


def test_every_check_is_broken_once_below():
    assert set(BREAKS) == {check.name for check in CHECKS}
    assert all(check.description.endswith(".") for check in CHECKS)


async def test_a_school_that_adds_up_has_no_finding(demo_url):
    connection = await asyncpg.connect(demo_url)
    try:
        findings = await check_books(connection)
    finally:
        await connection.close()
    assert [finding.check.name for finding in findings if finding.broken] == []
    assert len(findings) == len(CHECKS)


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_what_does_not_add_up_is_found_and_named(demo_url, name):
    with psycopg.connect(demo_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for constraint, table in (
            ("payments_within_owed_check", "payments"), ("payment_transactions_amount_check", "payment_transactions"),
            ("payment_transactions_refund_linked_check", "payment_transactions"), ("receipts_academic_year_id_number_key", "receipts"),
            ("payment_transactions_payment_method_check", "payment_transactions"),
             ("academic_years_parts_check", "academic_years"),
        ):  # fmt: skip
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}")
        assert connection.execute(BREAKS[name]).rowcount >= 1, "it breaks something"
        found = {finding.check.name: finding for finding in check_books_of(connection) if finding.broken}
        connection.rollback()
    assert name in found
    assert found[name].examples


@pytest.mark.parametrize(("changed", "broken"), [("-1 hour", True), ("1 hour", False), ("3 hours", True)])
def test_marks_change_after_posting_only_while_they_are_reopened(demo_url, changed, broken):
    """Checks a reopening of two hours, with a mark that was changed the given time after it began."""
    with psycopg.connect(demo_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO grade_reopenings (class_id, subject_id, semester_id, after_number, open_until, reason, created_at)"
            " SELECT class_id, subject_id, semester_id, number, now() - interval '1 day', 'x', now() - interval '1 day 2 hours' FROM grade_postings"
        )
        connection.execute(
            "UPDATE grades SET updated_at = now() - interval '1 day 2 hours' + %s::interval WHERE id ="
            " (SELECT g.id FROM grades g JOIN grade_postings USING (class_id, subject_id, semester_id) LIMIT 1)",
            [changed],
        )
        found = {finding.check.name for finding in check_books_of(connection) if finding.broken}
        connection.rollback()
    assert found == ({"posted_marks_are_unchanged"} if broken else set())


def test_the_command_says_what_is_broken_and_ends_with_1(fresh_database_url):
    def run():
        return subprocess.run(
            [sys.executable, "-m", "db.books"], cwd=Path(__file__).parents[2], env=os.environ | {"DATABASE_URL": fresh_database_url},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run()
    assert done.returncode == 0, done.stderr
    assert f"{len(CHECKS)} of {len(CHECKS)} checks hold." in done.stdout
    with psycopg.connect(fresh_database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("INSERT INTO academic_years (name, start_date, end_date) VALUES ('Y', '2025-01-01', '2025-12-31')")
        connection.execute("INSERT INTO receipt_counters SELECT id, 3 FROM academic_years")
    done = run()
    assert done.returncode == 1
    assert "BROKEN  The receipts of an academic year" in done.stdout
