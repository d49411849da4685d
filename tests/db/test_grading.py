"""Tests that SQL and rules/grading.py agree: on rounding, and on the seeded schools' final grades, recomputed from their marks."""

from collections import defaultdict
from decimal import Decimal

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.grading import ROUNDING, Mark, average, grade, read_policy, round_by

_MARKS = """
SELECT g.student_id, g.subject_id, g.semester_id, t.code, g.state, g.score, a.max_score, a.weight, a.assessment_date, a.title
FROM grades g JOIN assessments a ON a.id = g.assessment_id JOIN assessment_types t ON t.id = a.assessment_type_id
WHERE a.published_at IS NOT NULL
"""


def recomputed(connection):
    """Recomputes a school's final grades; returns those that differ, their total number, and those of students who changed class."""
    marks = defaultdict(list)
    for *place, code, state, score, maximum, weight, day, title in connection.execute(_MARKS):
        marks[tuple(place)].append(Mark(code, state, score, maximum, weight, day, title))
    wrong, count, kinds = [], 0, set()
    for *place, as_of, content, version, percentage, rounded, letter, points, is_incomplete, facts in connection.execute(
        "SELECT f.student_id, f.subject_id, f.semester_id, p.created_at::date, gp.content, gp.version, f.percentage, f.rounded, f.letter, f.points,"
        " f.is_incomplete, f.facts FROM final_grades f JOIN grade_postings p ON p.id = f.posting_id JOIN grading_policies gp ON gp.version = p.policy_version"
    ):
        policy = read_policy(content, version)
        found = average(marks[tuple(place)], policy, as_of)
        result = grade(found.percentage, policy)
        there = (percentage, rounded, letter, points, is_incomplete, facts)
        count += 1
        kinds |= {each[0] for each in facts["noted"]}
        if there != (result.percentage, result.rounded, result.letter, result.points, found.is_incomplete, found.facts):
            wrong.append((place, there, result, found))
    return wrong, count, kinds


def test_the_final_grades_of_the_made_up_school_are_what_the_rules_make_of_its_marks(demo_url):
    with psycopg.connect(demo_url) as connection:
        wrong, count, kinds = recomputed(connection)
    assert wrong[:3] == []
    assert count > 5_000
    assert kinds == {"MISSING_ZERO", "EXCUSED", "INCOMPLETE"}


def test_semesters_whose_window_has_closed_are_posted_and_no_others(demo_url):
    with psycopg.connect(demo_url) as connection:
        posted = connection.execute(
            "SELECT m.posting_closes_at <= '2026-03-18', EXISTS (SELECT FROM grade_postings p WHERE p.semester_id = m.id) FROM semesters m"
            " WHERE m.id IN (SELECT semester_id FROM assessments)"
        ).fetchall()
    assert sorted(posted) == [(False, False), (True, True), (True, True), (True, True)]


def test_postgresql_rounds_as_the_rules_do(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(st.decimals(0, 999, places=10) | st.decimals(0, 999, places=1) | st.decimals(0, 999, places=3), st.integers(0, 4))
        def same(value, places):
            modes = list(ROUNDING)
            found = connection.execute(
                "SELECT array_agg(round_by(%s, m, %s) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY AS t (m, n)",
                [value, places, modes],
            )
            assert found.fetchone()[0] == [round_by(value, mode, places) for mode in modes]

        same()


def test_a_marks_letter_is_the_rules_letter(demo_url):
    with psycopg.connect(demo_url) as connection:
        content, version = connection.execute("SELECT p, policy_version(p) FROM grading_policy() AS p").fetchone()
        policy = read_policy(content, version)
        for n in range(0, 1101, 5):
            value = Decimal(n) / 10
            assert connection.execute("SELECT letter_for(%s)", [value]).fetchone() == (grade(value, policy).letter,)
