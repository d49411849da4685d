"""Tests that the seeded schools, which are written without triggers, satisfy them: rewriting each row changes nothing; and that they are plausible."""

from datetime import date

import psycopg
import pytest

from db.seed import seed
from tests.databases import SEED_DATE

# In the order of their keys, with the columns that a trigger fills in.
DERIVED = {
    "school_settings": "",
    "users": "",
    "academic_years": "",
    "semesters": "",
    "holidays": "",
    "subjects": "",
    "assessment_types": "",
    "fee_categories": "",
    "grading_scales": "",
    "grading_scale_bounds": "",
    "teachers": "sort_key",
    "teacher_subjects": "",
    "classes": "current_enrollment",
    "class_subjects": "",
    "students": "sort_key class_id",
    "student_class_history": "academic_year_id",
    "guardians": "sort_key",
    "guardian_students": "",
    "attendance": "",
    "registers": "",
    "assessments": "",
    "grades": "class_id subject_id assessment_type_id semester_id assessment_date is_published percentage letter",
    "payments": "paid_total refunded_total waived_total payment_date method processed_by transaction_id",
    "receipts": "",
    "payment_transactions": "",
}

# Each counts implausible rows, of which there must be none. The school's current day is %(day)s.
NEVER = {
    "a movement before its charge": "FROM payment_transactions t JOIN payments p ON p.id = t.payment_id WHERE t.occurred_at < p.created_at",
    "a refund before its payment": (
        "FROM payment_transactions t JOIN payment_transactions l ON l.id = t.linked_id WHERE t.occurred_at <= l.occurred_at"
    ),
    "a change before the row": (
        "FROM (SELECT created_at, updated_at FROM payments UNION ALL SELECT created_at, updated_at FROM grades UNION ALL"
        " SELECT created_at, updated_at FROM attendance UNION ALL SELECT created_at, updated_at FROM student_class_history) AS r"
        " WHERE updated_at < created_at"
    ),
    "a class move that is yet to come": "FROM student_class_history WHERE greatest(from_date, to_date) > %(day)s",
    "a mark in a class of others": (
        "FROM attendance a WHERE NOT EXISTS (SELECT FROM student_class_history h WHERE h.student_id = a.student_id"
        " AND h.class_id = a.class_id AND a.date >= h.from_date AND (h.to_date IS NULL OR a.date <= h.to_date))"
    ),
    "a mark on a day without school": (
        "FROM attendance a WHERE extract(isodow FROM a.date) > 5 OR a.date > %(day)s"
        " OR EXISTS (SELECT FROM holidays h WHERE a.date BETWEEN h.start_date AND h.end_date)"
    ),
    "an assessment in what the class is not taught": (
        "FROM assessments a JOIN semesters m ON m.id = a.semester_id WHERE a.assessment_date NOT BETWEEN m.start_date AND m.end_date"
        " OR NOT EXISTS (SELECT FROM class_subjects cs WHERE cs.class_id = a.class_id AND cs.subject_id = a.subject_id"
        " AND cs.semester_id = a.semester_id)"
    ),
    "a letter that the scale does not give": (
        "FROM grades g WHERE g.letter IS DISTINCT FROM (SELECT b.letter FROM grading_scale_bounds b"
        " WHERE b.lower_bound <= round(g.percentage) ORDER BY b.lower_bound DESC LIMIT 1)"
    ),
    "an old value that is the value": (
        "FROM audit_logs l JOIN grades g ON g.id = l.record_id, jsonb_each(l.old_values) AS old WHERE to_jsonb(g) -> old.key = old.value"
    ),
    "a lesson this year by a teacher who left": (
        "FROM class_subjects cs JOIN classes c ON c.id = cs.class_id AND c.is_active JOIN teachers t ON t.id IN (cs.teacher_id, c.teacher_id)"
        " WHERE NOT t.is_active"
    ),
    "more audited changes than rows that say so": (
        "FROM (SELECT sum(n) AS audited, (SELECT count(*) FROM grades WHERE version > 1) + (SELECT count(*) FROM attendance WHERE version > 1)"
        " + (SELECT count(*) FROM student_class_history WHERE version > 1) AS changed"
        " FROM (SELECT count(*) AS n FROM audit_logs GROUP BY table_name) AS counted) AS audited_and_changed WHERE audited > changed"
    ),
}


def test_written_again_through_the_triggers_every_derived_column_is_the_same(demo_url, fresh_database_url):
    with psycopg.connect(demo_url) as source, psycopg.connect(fresh_database_url) as target:
        target.execute("SET timezone = 'UTC'")
        # Written while the posting windows were open.
        target.execute("SET rollcall.now = '2000-01-01'")
        source.execute("SET timezone = 'UTC'")
        for table, derived in DERIVED.items():
            written = [
                column
                for (column,) in source.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = '' AND NOT attisdropped",
                    [table],
                )
                if column not in derived.split()
            ]
            columns = ", ".join(written)
            order = "occurred_at, id" if table == "payment_transactions" else "id"
            with (
                source.cursor().copy(f"COPY (SELECT {columns} FROM {table} ORDER BY {order}) TO STDOUT") as rows,
                target.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as into,
            ):
                for data in rows:
                    into.write(data)
        for table, derived in DERIVED.items():
            if derived:
                columns = ", ".join(derived.split())
                content = f"SELECT count(*), md5(string_agg((id, {columns})::text, '|' ORDER BY id)) FROM {table}"
                assert target.execute(content).fetchone() == source.execute(content).fetchone(), table


# The last day of a year, a day between two, the first weeks of one, a holiday, the first of a semester, a leap day. The larger school's is an ordinary one.
DAYS = [
    date(2026, 7, 31),
    date(2026, 8, 12),
    date(2026, 9, 1),
    date(2026, 12, 24),
    date(2027, 2, 1),
    date(2028, 2, 29),
]


@pytest.mark.parametrize("day", DAYS)
def test_on_any_day_the_school_is_believable_and_adds_up(fresh_database_url, day):
    seed(fresh_database_url, "demo", day)  # checks its own books
    with psycopg.connect(fresh_database_url) as connection:
        broken = {what: connection.execute(f"SELECT count(*) {rule}", {"day": day}).fetchone() for what, rule in NEVER.items()}
        assert broken == dict.fromkeys(NEVER, (0,))
        unpublished = connection.execute("SELECT count(*) > 10 FROM assessments WHERE published_at IS NULL").fetchone()
        assert unpublished == (day.month not in (7, 8),)  # there are no lessons in the summer holidays
        students, marks, grades = connection.execute(
            "SELECT (SELECT count(*) FROM students WHERE is_active), (SELECT count(*) FROM attendance), (SELECT count(*) FROM grades)"
        ).fetchone()
        assert students > 290
        assert marks > 5_000
        assert grades > 10_000
        assert connection.execute("SELECT count(*) FROM payment_transactions WHERE occurred_at::date >= %s", [day]).fetchone() == (0,)


@pytest.fixture(scope="module")
def school_url(databases):
    """Returns the URL of a school of a thousand students."""
    yield databases.clone("school", "larger_school")
    databases.drop("larger_school")


def test_a_larger_school_is_believable_too(school_url):
    """Checks a school with more teachers than the demo school, of whom some have left and some have children there."""
    with psycopg.connect(school_url) as connection:
        broken = {what: connection.execute(f"SELECT count(*) {rule}", {"day": SEED_DATE}).fetchone() for what, rule in NEVER.items()}
        assert broken == dict.fromkeys(NEVER, (0,))
        assert connection.execute("SELECT count(*) FROM teachers WHERE NOT is_active").fetchone() > (0,)
        assert connection.execute("SELECT count(*) FROM teachers JOIN guardians USING (user_id)").fetchone() > (1,)
        assert connection.execute("SELECT count(*) FROM students WHERE alt_id <= 1000").fetchone() == (1000,)
        history = connection.execute(
            "SELECT count(*) FROM audit_logs WHERE table_name = ANY(ARRAY['grades', 'attendance', 'student_class_history'])"
        ).fetchone()
        assert history > (500,)


def test_loading_leaves_every_trigger_index_and_key_as_it_was(school_url, database_url):
    state = (
        "SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
    )
    with psycopg.connect(database_url) as never_loaded, psycopg.connect(school_url) as loaded:
        assert loaded.execute(state).fetchall() == never_loaded.execute(state).fetchall()
