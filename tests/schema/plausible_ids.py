"""Finds ids of rows that belong together, so that a mutation with one bad value gets past its look-ups to the statement that would write it."""

from uuid import UUID

from tests.access.nouns import NOUNS

__all__ = ["TABLES", "plausible_ids"]

# By the tag of their ids. What is not here nobody names in an input.
TABLES = {
    "year": "academic_years", "sem": "semesters", "hol": "holidays", "per": "periods", "cls": "classes", "csu": "class_subjects",
    "sub": "subjects", "aty": "assessment_types", "fee": "fee_categories", "tea": "teachers", "stu": "students", "gua": "guardians",
    "usr": "users", "asm": "assessments", "chg": "payments", "txn": "payment_transactions", "gsc": "grading_scales", "gwe": "gateway_events",
    "ses": "sessions", "svt": "service_tokens",
    **{each.tag: each.table for each in NOUNS},
}  # fmt: skip
_TOGETHER = """
SELECT cs.class_id AS cls, cs.subject_id AS sub, cs.semester_id AS sem, cs.id AS csu, cs.teacher_id AS tea, s.id AS stu, a.id AS asm, m.academic_year_id AS year
FROM class_subjects cs
JOIN semesters m ON m.id = cs.semester_id AND m.is_current
JOIN students s ON s.class_id = cs.class_id AND s.is_active
JOIN assessments a ON (a.class_id, a.subject_id, a.semester_id) = (cs.class_id, cs.subject_id, cs.semester_id)
ORDER BY cs.id, s.id, a.id LIMIT 1
"""
_MONEY = """
SELECT p.id AS pay, t.id AS txn FROM payments p, payment_transactions t
WHERE p.status = 'PENDING' AND p.cancelled_at IS NULL AND t.kind = 'PAYMENT' AND NOT EXISTS (SELECT FROM payment_transactions o WHERE o.linked_id = t.id)
ORDER BY p.id, t.id LIMIT 1
"""
# Not an administrator's: one of them is asking, in a session that goes on.
_USER = "SELECT id AS usr, '00000000-0000-0000-0000-000000000000'::uuid AS ses FROM users WHERE role = 'GUARDIAN' ORDER BY id LIMIT 1"


async def plausible_ids(school) -> dict[str, str]:
    """Returns a global id for each tag."""
    found: dict[str, UUID | None] = {}
    for tag, table in TABLES.items():
        found[tag] = await school.value(f"SELECT id FROM {table} ORDER BY id LIMIT 1")
    for sql in (_TOGETHER, _MONEY, _USER):
        found |= dict(await school.database.fetchrow(sql) or {})
    return {tag: f"{tag}_{(each or UUID(int=0)).hex}" for tag, each in found.items()}
