"""Measures what writes cost with and without the indexes that exist only for speed.

Each write is one transaction that is rolled back. The rows to write are staged beforehand in a temporary table, so that only writing is timed.
"""

import statistics
import time
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.district_school import SEED_DATE

__all__ = ["WRITES", "Write", "write_lines"]


@dataclass(frozen=True, slots=True)
class Write:
    """Describes a write: `stage` fills the temporary table `staged`, which is not timed, and `statement` writes from it.

    With `one_by_one`, `statement` is run once for each row of `staged`, whose columns are its arguments.
    """

    name: str
    stage: tuple[str, ...]
    statement: str
    one_by_one: bool = False


_DAY = "(SELECT max(date) + 1 FROM registers)"
_MARKS = (
    "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT s.id AS student_id, s.class_id,"
    f" {_DAY} AS date, CASE WHEN hashtext(s.id::text) % 13 = 0 THEN 'ABSENT' ELSE 'PRESENT' END AS status, t.user_id AS marked_by"
    " FROM students s JOIN classes c ON c.id = s.class_id JOIN teachers t ON t.id = c.teacher_id WHERE s.is_active"
)
_NEW_ASSESSMENTS = (
    (
        "CREATE TEMPORARY TABLE held ON COMMIT DROP AS SELECT uuidv7() AS id, a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.created_by"
        " FROM (SELECT DISTINCT ON (class_id) * FROM assessments ORDER BY class_id, id DESC) AS a JOIN classes c ON c.id = a.class_id AND c.is_active LIMIT 200"
    ),
    (
        "INSERT INTO assessments (id, class_id, subject_id, assessment_type_id, semester_id, created_by, assessment_date, title, max_score)"
        " SELECT h.*, m.start_date, 'Test', 100 FROM held h JOIN semesters m ON m.id = h.semester_id"
    ),
    (
        "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT s.id AS student_id, h.id AS assessment_id, h.created_by"
        " FROM held h JOIN students s ON s.class_id = h.class_id"
    ),
)
_CHARGES = (
    "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT s.id AS student_id, (SELECT id FROM fee_categories ORDER BY code LIMIT 1) AS fee_category_id,"
    " (SELECT id FROM academic_years WHERE is_current) AS academic_year_id, current_date + 30 AS due_date FROM students s WHERE is_active"
)

WRITES = (
    Write(
        "a day's attendance of the whole school, one statement",
        (_MARKS,),
        "INSERT INTO attendance (student_id, class_id, date, status, marked_by) SELECT * FROM staged",
    ),
    Write(
        "500 marks, one statement each",
        (f"{_MARKS} ORDER BY s.id LIMIT 500",),
        "INSERT INTO attendance (student_id, class_id, date, status, marked_by) VALUES ($1, $2, $3, $4, $5)",
        one_by_one=True,
    ),
    Write(
        "5,000 grades in 200 assessments, one statement",
        _NEW_ASSESSMENTS,
        "INSERT INTO grades (student_id, assessment_id, state, score, letter, recorded_by)"
        " SELECT student_id, assessment_id, 'SCORED', 77, 'C', created_by FROM staged",
    ),
    Write(
        "a charge for every student, one statement",
        (_CHARGES,),
        "INSERT INTO payments (student_id, fee_category_id, academic_year_id, due_date, amount, currency) SELECT s.*, 10, 'EUR' FROM staged s",
    ),
    Write(
        "500 charges, one statement each",
        (f"{_CHARGES} ORDER BY id LIMIT 500",),
        "INSERT INTO payments (student_id, fee_category_id, academic_year_id, due_date, amount, currency) VALUES ($1, $2, $3, $4, 10, 'EUR')",
        one_by_one=True,
    ),
    Write(
        "1,000 grades corrected, one statement",
        (
            # Marks of the current semester, because those of earlier ones are posted and locked.
            (
                "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT g.id FROM grades g TABLESAMPLE SYSTEM (20) REPEATABLE (1)"
                " JOIN semesters m ON m.id = g.semester_id AND m.is_current WHERE g.score > 2 LIMIT 1000"
            ),
        ),
        "UPDATE grades g SET score = g.score - 0.5 FROM staged s WHERE g.id = s.id",
    ),
    Write(
        "1,000 absences excused, one statement",
        (
            (
                "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT id FROM attendance TABLESAMPLE SYSTEM (10) REPEATABLE (1)"
                " WHERE status = 'ABSENT' AND NOT excused LIMIT 1000"
            ),
        ),
        "UPDATE attendance a SET excused = true, excuse_reason = 'Ill' FROM staged s WHERE a.id = s.id",
    ),
)


async def _seconds(connection: Any, write: Write) -> tuple[float, int]:
    """Runs a write; returns its seconds, and the number of rows that it wrote."""
    transaction = connection.transaction()
    await transaction.start()
    # The clock is set to the day for which the school was seeded, so that no posting window has closed since.
    await connection.execute(f"SET LOCAL rollcall.now = '{SEED_DATE}'")
    try:
        for each in write.stage:
            await connection.execute(each)
        await connection.execute("ANALYZE staged")
        rows = await connection.fetch("SELECT * FROM staged")
        if write.one_by_one:
            prepared = await connection.prepare(write.statement)
            began = time.perf_counter()
            for row in rows:
                await prepared.fetch(*row)
        else:
            began = time.perf_counter()
            await connection.execute(write.statement)
        return time.perf_counter() - began, len(rows)
    finally:
        await transaction.rollback()


async def write_lines(with_them: str, without: str, rounds: int) -> list[str]:
    """Returns a table of the cost of each write on the two databases, measured alternately."""
    # Prepared statements are not cached, because the temporary tables change.
    indexed = await asyncpg.connect(with_them, command_timeout=600, statement_cache_size=0)
    bare = await asyncpg.connect(without, command_timeout=600, statement_cache_size=0)
    try:
        return await _lines(indexed, bare, rounds)
    finally:
        await indexed.close()
        await bare.close()


async def _lines(indexed: Any, bare: Any, rounds: int) -> list[str]:
    lines = ["| write | rows | without, ms | with, ms | dearer by, median of pairs |", "|---|---|---|---|---|"]
    for write in WRITES:
        pairs: list[tuple[float, float]] = []
        rows = 0
        for n in range(-1, rounds):  # the first round warms up
            first, second = (bare, indexed) if n % 2 else (indexed, bare)
            (one, rows), (other, _) = await _seconds(first, write), await _seconds(second, write)
            if n >= 0:
                pairs.append((one, other) if n % 2 else (other, one))
        before, after = (statistics.median(pair[side] for pair in pairs) * 1000 for side in (0, 1))
        dearer = statistics.median(pair[1] / pair[0] for pair in pairs) - 1
        lines.append(f"| {write.name} | {rows:,} | {before:.1f} | {after:.1f} | {dearer:+.0%} |")
        print(lines[-1], flush=True)
    return lines
