"""Tests the database's indexes against the 87 required ones, listed by hand, and against general rules."""

import re
from collections import Counter
from pathlib import Path

import psycopg
import pytest

CATALOGUE = Path(__file__).parents[2] / "docs" / "indexes.md"

# The required indexes: each on exactly these columns. U means unique.
SEED = {
    "users": ["lower(email) U", "role", "is_active", "role, is_active", "lower(first_name)", "lower(last_name)", "alt_id U"],
    "students": ["user_id U", "class_id", "student_number U", "is_active", "class_id, is_active", "enrollment_date", "alt_id U"],
    "teachers": ["user_id U", "employee_number U", "is_active", "specialization", "joining_date", "alt_id U"],
    "classes": ["academic_year_id", "teacher_id", "is_active", "grade_level, section", "academic_year_id, is_active", "current_enrollment"],
    "attendance": [
        "student_id", "class_id", "subject_id", "date", "status", "student_id, date", "class_id, date", "date, status", "marked_by",
    ],
    "grades": [
        "student_id", "subject_id", "assessment_type_id", "semester_id", "student_id, subject_id", "student_id, semester_id",
        "student_id, assessment_id U", "letter", "percentage", "recorded_by", "assessment_date",
    ],
    "payments": [
        "student_id", "fee_category_id", "status", "due_date", "payment_date", "method", "student_id, status", "due_date, status",
        "processed_by", "transaction_id",
    ],
    "academic_years": ["name U", "is_current U", "start_date", "end_date"],
    "semesters": ["academic_year_id", "academic_year_id, start_date", "is_current"],
    "subjects": ["code U", "lower(name)", "is_active"],
    "teacher_subjects": ["teacher_id", "subject_id", "teacher_id, subject_id U"],
    "class_subjects": ["class_id", "subject_id", "teacher_id", "semester_id", "class_id, subject_id, semester_id U"],
    "student_class_history": ["student_id", "class_id", "academic_year_id", "student_id, from_date", "class_id, from_date", "to_date"],
    "assessment_types": ["code U", "lower(name)", "is_active"],
    "audit_logs": ["user_id", "table_name, record_id", "action", "created_at"],
}  # fmt: skip

INDEXES = """
SELECT t.relname, c.relname, i.indisunique, i.indisvalid, am.amname,
    (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, i.indnkeyatts) AS n),
    pg_get_expr(i.indpred, i.indrelid), EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_am am ON am.oid = c.relam
WHERE t.relnamespace = 'public'::regnamespace AND t.relname NOT LIKE '%yoyo%' AND t.relname NOT IN ('migration_checksums', 'migration_losses')
"""


@pytest.fixture
def indexes(database_url):
    with psycopg.connect(database_url) as connection:
        return [
            (table, name, unique, valid, method, re.sub(r"::text|\s+text_pattern_ops", "", columns), predicate, constraint)
            for table, name, unique, valid, method, columns, predicate, constraint in connection.execute(INDEXES)
        ]


def test_the_contract_has_87_lines():
    assert sum(len(lines) for lines in SEED.values()) == 87
    assert {table: len(lines) for table, lines in SEED.items()}["grades"] == 11


def test_every_line_of_the_seed_is_an_index_on_just_those_columns(indexes):
    there = {(table, columns, unique) for table, _, unique, *_, columns, _, _ in indexes}
    for table, lines in SEED.items():
        for line in lines:
            columns, unique = line.removesuffix(" U"), line.endswith(" U")
            assert (table, columns, unique) in there or (not unique and (table, columns, True) in there), f"{table}: {line}"


def test_no_two_lines_share_an_index(indexes):
    """Checks that there are as many indexes as lines: a unique key on the columns of one line does not count for another."""
    there = Counter((table, columns) for table, _, _, _, _, columns, _, _ in indexes)
    wanted = Counter((table, line.removesuffix(" U")) for table, lines in SEED.items() for line in lines)
    assert all(there[each] >= count for each, count in wanted.items())


def test_there_are_more_than_a_hundred_and_all_are_valid(indexes):
    assert len(indexes) > 100
    assert all(valid for _, _, _, valid, *_ in indexes)


def test_beyond_the_seed_none_is_a_prefix_of_another(indexes):
    seed = {(table, line.removesuffix(" U")) for table, lines in SEED.items() for line in lines}
    ours = [
        (table, name, columns.split(", "), predicate) for table, name, _, _, method, columns, predicate, _ in indexes if method == "btree"
    ]
    for table, name, columns, predicate in ours:
        if (table, ", ".join(columns)) in seed:
            continue
        for other_table, other_name, others, other_predicate in ours:
            if table == other_table and name != other_name and predicate == other_predicate:
                assert others[: len(columns)] != columns, f"{name} is a prefix of {other_name}"


def test_every_foreign_key_that_is_followed_has_an_index(database_url):
    """Checks this because deletes and joins from the other end would scan. The exceptions are used from one end only, and never deleted."""
    one_way = {
        "assessments_assessment_type_id_fkey", "assessments_created_by_fkey", "payments_academic_year_id_fkey", "payments_created_by_fkey",
        "payment_transactions_processed_by_fkey", "receipts_issued_by_fkey", "registers_subject_id_fkey", "registers_submitted_by_fkey",
        "service_tokens_created_by_fkey", "password_resets_created_by_fkey", "password_resets_user_id_fkey", "overruled_marks_marked_by_fkey",
        "grade_postings_policy_version_fkey", "grade_postings_posted_by_fkey", "grade_postings_semester_id_fkey", "grade_postings_subject_id_fkey",
        "grade_reopenings_reopened_by_fkey", "grade_reopenings_semester_id_fkey", "grade_reopenings_subject_id_fkey",
        "final_grades_posting_id_fkey", "final_grades_semester_id_fkey", "final_grades_subject_id_fkey",
    }  # fmt: skip
    with psycopg.connect(database_url) as connection:
        missing = {
            name
            for (name,) in connection.execute(
                "SELECT k.conname FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace"
                " AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1])"
            )
        }
    assert missing == one_way


def test_beyond_the_seed_none_is_without_a_statement_that_uses_it():
    """Checks that docs/indexes.md, which is generated from PostgreSQL's plans, names a statement for each, unless the index enforces a rule."""
    rows = [line.split("|") for line in CATALOGUE.read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 100
    unused = [row[2].strip() for row in rows if row[4].strip() == "–" and row[5].strip() == "–"]
    assert unused == []
