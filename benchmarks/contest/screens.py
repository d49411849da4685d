"""Defines the three screens, with the variables for the objects that they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

__all__ = ["LARGE", "MEDIUM", "SMALL", "TEACHER", "Screen", "administrator_screens", "growing_screens", "teacher_screens"]

SMALL = """query Small($id: ID!) {
  student(id: $id) {
    id studentNumber enrollmentDate isActive
    user { id firstName lastName }
    class { id name gradeLevel section room }
  }
}"""
MEDIUM = """query Medium($id: ID!) {
  class(id: $id) {
    id name gradeLevel section
    students(first: 25) {
      nodes {
        id studentNumber isActive
        grades(first: 5) { nodes { id assessmentDate percentage letter subject { id name } } }
      }
    }
  }
}"""
LARGE = """query Large($first: Int!) {
  students(first: $first) {
    nodes {
      id studentNumber isActive
      user { id firstName lastName }
      class { id name gradeLevel section }
      attendance(first: 10) { nodes { id date status excused minutesLate } }
    }
  }
}"""
TEACHER = "teacher@demo.school"
_VARIANTS = 16


@dataclass(frozen=True, slots=True)
class Screen:
    """Holds an operation and the variables with which it is sent in turn. `kind` is small, medium or large; `name` includes the size."""

    name: str
    kind: str
    document: str
    variables: Sequence[dict[str, Any]]


def administrator_screens(url: str, variants: int = _VARIANTS) -> list[Screen]:
    """Returns the screens for an administrator, over the whole school."""
    with psycopg.connect(url) as connection:
        students = _ids(
            connection, "SELECT id FROM students WHERE class_id IS NOT NULL ORDER BY hashtext(student_number) LIMIT %s", variants
        )
        classes = _ids(connection, "SELECT id FROM classes WHERE is_active ORDER BY current_enrollment DESC, name LIMIT %s", variants)
    return _screens(students, classes, "")


def teacher_screens(url: str, variants: int = _VARIANTS) -> list[Screen]:
    """Returns the same screens for a teacher. Only the classes taught this year and their students are visible."""
    with psycopg.connect(url) as connection:
        taught = """SELECT DISTINCT c.id, c.name FROM classes c JOIN academic_years y ON y.id = c.academic_year_id AND y.is_current
            JOIN class_subjects cs ON cs.class_id = c.id JOIN teachers t ON t.id IN (cs.teacher_id, c.teacher_id)
            JOIN users u ON u.id = t.user_id WHERE u.email = %s ORDER BY c.name LIMIT %s"""
        classes = _ids(connection, taught, TEACHER, variants)
        of_them = "SELECT id FROM students WHERE class_id = ANY(%s) ORDER BY hashtext(student_number) LIMIT %s"
        students = _ids(connection, of_them, classes, variants)
    return _screens(students, classes, ", teacher")


def growing_screens() -> list[Screen]:
    """Returns the large screen in three sizes."""
    return [Screen(f"{first} students", "large", LARGE, [{"first": first}]) for first in (25, 100, 400)]


def _screens(students: list[UUID], classes: list[UUID], whose: str) -> list[Screen]:
    return [
        Screen(f"small{whose}", "small", SMALL, [{"id": f"stu_{each.hex}"} for each in students]),
        Screen(f"medium{whose}", "medium", MEDIUM, [{"id": f"cls_{each.hex}"} for each in classes]),
        Screen(f"large{whose}", "large", LARGE, [{"first": 200}]),
    ]


def _ids(connection: "psycopg.Connection[Any]", statement: str, *arguments: Any) -> list[UUID]:
    return [row[0] for row in connection.execute(statement, arguments).fetchall()]  # type: ignore[arg-type]
