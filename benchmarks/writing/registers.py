"""Generates attendance registers to submit: for which class, subject and day, by which teacher and with which students."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg

from benchmarks.contest.contestants import http_request
from benchmarks.contest.load import Exchange

__all__ = ["SUBMIT", "Place", "accepted", "entries", "mutation", "places", "registers"]

SUBMIT = """mutation Submit($input: SubmitRegisterInput!) {
  submitRegister(input: $input) { register { id } changes { change } notMarked { student { id } } userErrors { field code message } }
}"""
# Each place is used by only one connection: a class whose homeroom teacher submits its registers subject by subject and day by day.
_PLACES = """
    SELECT c.id, t.user_id, array_agg(DISTINCT cs.subject_id)
    FROM classes c
    JOIN academic_years y ON y.id = c.academic_year_id AND y.is_current
    JOIN teachers t ON t.id = c.teacher_id AND t.is_active
    JOIN class_subjects cs ON cs.class_id = c.id
    JOIN semesters m ON m.id = cs.semester_id AND %s BETWEEN m.start_date AND m.end_date
    WHERE c.is_active AND c.current_enrollment >= 20
    GROUP BY c.id, t.user_id ORDER BY c.id LIMIT %s"""
_DAYS = """
    SELECT DISTINCT r.date FROM registers r JOIN semesters m ON %s BETWEEN m.start_date AND m.end_date
    WHERE r.date BETWEEN m.start_date AND %s ORDER BY r.date"""
_TAKEN = "SELECT class_id, subject_id, date FROM registers WHERE subject_id IS NOT NULL AND class_id = ANY(%s)"
_MEMBERS = "SELECT class_id, student_id, from_date, coalesce(to_date, 'infinity'::date) FROM student_class_history WHERE class_id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Place:
    """A class with its own teacher's user, the subjects it is taught, the days it went to school, who was in it from when to when,
    and the registers in a subject that were taken already."""

    class_id: UUID
    user_id: UUID
    subjects: list[UUID]
    days: list[date]
    members: list[tuple[UUID, date, date]]
    taken: set[tuple[UUID, date]]

    def untaken(self) -> Iterator[tuple[UUID, date, list[UUID]]]:
        """Yields the registers that have not been taken: subject, day, and the students of the class on that day."""
        for day in reversed(self.days):
            students = [student for student, since, until in self.members if since <= day <= until]
            for subject in self.subjects:
                if (subject, day) not in self.taken:
                    yield subject, day, students


def places(url: str, count: int, seeded_for: date) -> list[Place]:
    """Returns `count` places in a school as it was seeded for a day."""
    with psycopg.connect(url) as connection:
        found = connection.execute(_PLACES, [seeded_for, count]).fetchall()
        days = [row[0] for row in connection.execute(_DAYS, [seeded_for, seeded_for]).fetchall()]
        members: dict[UUID, list[tuple[UUID, date, date]]] = {row[0]: [] for row in found}
        connection.adapters.register_loader("date", _EndlessDate)
        for class_id, *member in connection.execute(_MEMBERS, [list(members)]).fetchall():
            members[class_id].append(tuple(member))
        taken: dict[UUID, set[tuple[UUID, date]]] = {row[0]: set() for row in found}
        for class_id, subject_id, day in connection.execute(_TAKEN, [list(taken)]).fetchall():
            taken[class_id].add((subject_id, day))
    return [Place(row[0], row[1], row[2], days, members[row[0]], taken[row[0]]) for row in found]


class _EndlessDate(psycopg.adapt.Loader):
    """Parses dates, of which one may be infinity."""

    def load(self, data: Any) -> date:
        text = bytes(data).decode()
        return date.max if text == "infinity" else date.fromisoformat(text)


def entries(students: list[UUID], offset: int = 0) -> list[dict[str, Any]]:
    """Returns a register's entries: one in 13 students absent, one in 17 late by 10 minutes, the others present. `offset` shifts who is."""
    said: list[dict[str, Any]] = []
    for n, student in enumerate(students, offset):
        entry: dict[str, Any] = {"studentId": f"stu_{student.hex}", "status": "PRESENT"}
        if n % 13 == 0:
            entry["status"] = "ABSENT"
        elif n % 17 == 0:
            entry |= {"status": "LATE", "minutesLate": 10}
        said.append(entry)
    return said


def mutation(token: str, document: str, given: dict[str, Any], fits: Any) -> Exchange:
    """Returns the request of a mutation, whose response is checked by `fits`."""
    return Exchange(http_request("/graphql", orjson.dumps({"query": document, "variables": {"input": given}}), token), fits=fits)


def accepted(body: bytes) -> bool:
    """Returns whether a mutation succeeded."""
    answer = orjson.loads(body)
    return "errors" not in answer and all(payload["userErrors"] == [] for payload in answer["data"].values())


def all_made(body: bytes) -> bool:
    """Returns whether a register was taken for the first time: every entry created a mark, and no student was left out."""
    if not accepted(body):
        return False
    payload = orjson.loads(body)["data"]["submitRegister"]
    return not payload["notMarked"] and {each["change"] for each in payload["changes"]} == {"CREATED"}


def registers(taken: list[Place], tokens: dict[UUID, str]) -> Iterator[Exchange]:
    """Yields submissions of these classes' registers, each once, one class after the other."""
    for several in zip_longest(*(place.untaken() for place in taken)):
        for place, each in zip(taken, several, strict=True):
            if each is not None:
                subject, day, students = each
                given = {
                    "classId": f"cls_{place.class_id.hex}",
                    "date": day,
                    "subjectId": f"sub_{subject.hex}",
                    "entries": entries(students),
                    "idempotencyKey": str(uuid4()),
                }
                yield mutation(tokens[place.user_id], SUBMIT, given, all_made)
