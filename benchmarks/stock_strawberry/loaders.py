"""Defines the data loaders of a request with strawberry.dataloader, one statement per batch."""

from collections import defaultdict
from typing import Any

import asyncpg
from strawberry.dataloader import DataLoader

__all__ = ["make_loaders"]

_BY_ID = {
    "students": "SELECT id, student_number, enrollment_date, is_active, user_id, class_id FROM students WHERE id = ANY($1::uuid[])",
    "users": "SELECT id, first_name, last_name FROM users WHERE id = ANY($1::uuid[])",
    "classes": "SELECT id, name, grade_level, section, room FROM classes WHERE id = ANY($1::uuid[])",
    "subjects": "SELECT id, name FROM subjects WHERE id = ANY($1::uuid[])",
}
_LISTS = {
    "class_students": """
        SELECT asked.key, s.* FROM unnest($1::uuid[]) AS asked (key) CROSS JOIN LATERAL (
            SELECT id, student_number, enrollment_date, is_active, user_id, class_id FROM students
            WHERE class_id = asked.key ORDER BY sort_key, id LIMIT $2) AS s""",
    "grades": """
        SELECT asked.key, g.* FROM unnest($1::uuid[]) AS asked (key) CROSS JOIN LATERAL (
            SELECT id, assessment_date, percentage, letter, subject_id FROM grades
            WHERE student_id = asked.key ORDER BY assessment_date DESC, id DESC LIMIT $2) AS g""",
    "attendance": """
        SELECT asked.key, a.* FROM unnest($1::uuid[]) AS asked (key) CROSS JOIN LATERAL (
            SELECT id, date, status, excused, minutes_late FROM attendance
            WHERE student_id = asked.key ORDER BY date DESC, id DESC LIMIT $2) AS a""",
}


def make_loaders(pool: "asyncpg.Pool[Any]") -> dict[str, DataLoader[Any, Any]]:
    def by_id(statement: str) -> DataLoader[Any, Any]:
        async def load(keys: list[Any]) -> list[Any]:
            found = {row["id"]: row for row in await pool.fetch(statement, keys)}
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    def lists(statement: str) -> DataLoader[Any, Any]:
        async def load(keys: list[tuple[Any, int]]) -> list[list[Any]]:
            limits = {limit for _, limit in keys}
            found: defaultdict[Any, list[Any]] = defaultdict(list)
            for limit in limits:
                for row in await pool.fetch(statement, [key for key, each in keys if each == limit], limit):
                    found[row["key"], limit].append(row)
            return [found[key] for key in keys]

        return DataLoader(load_fn=load)

    return {name: by_id(text) for name, text in _BY_ID.items()} | {name: lists(text) for name, text in _LISTS.items()}
