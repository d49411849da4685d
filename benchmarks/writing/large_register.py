"""Measures a register of 300 students: how long its statement takes in the database, and how long its request takes."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg

from benchmarks.contest.comparison import post
from benchmarks.contest.load import Address, Exchange, load, percentile
from benchmarks.contest.run import Contest
from benchmarks.writing.database_copies import TODAY
from benchmarks.writing.registers import SUBMIT, accepted, entries, mutation
from config import load_settings
from db.pool import Database
from db.row_writes import to_json
from db.sql_catalog import queries

__all__ = ["LargeClass", "measured_large", "own_teacher", "prepared_large", "summary"]

SIZE = 300
_ROUNDS = 40


class LargeClass:
    """Describes a class of 300 students in the copy, with its homeroom teacher and its subjects."""

    def __init__(self, class_id: UUID, user_id: UUID, subjects: list[UUID], students: list[UUID]) -> None:
        self.class_id, self.user_id, self.subjects, self.students = class_id, user_id, subjects, students

    def submissions(self, token: str, offset: int) -> Iterator[Exchange]:
        """Returns the class's registers of the day, one per subject."""
        for subject in self.subjects:
            given = {
                "classId": f"cls_{self.class_id.hex}",
                "date": TODAY,
                "subjectId": f"sub_{subject.hex}",
                "entries": entries(self.students, offset),
                "idempotencyKey": str(uuid4()),
            }
            yield mutation(token, SUBMIT, given, accepted)


def own_teacher(url: str) -> tuple[UUID, UUID]:
    """Returns the class's future homeroom teacher, as (teacher id, user id)."""
    with psycopg.connect(url) as connection:
        [found] = connection.execute("SELECT id, user_id FROM teachers WHERE is_active ORDER BY alt_id DESC LIMIT 1").fetchall()
    return found[0], found[1]


def prepared_large(running: Contest, address: Address, administrator: str) -> LargeClass:
    """Creates the class through GraphQL mutations, as a school office would. Its students come from other classes; it is taught every subject."""

    def done(name: str, wanted: str, given: dict[str, Any]) -> Any:
        kind = name[0].upper() + name[1:]
        query = f"mutation M($input: {kind}Input!) {{ {name}(input: $input) {{ {wanted} userErrors {{ field code message }} }} }}"
        body = post(address, "/graphql", orjson.dumps({"query": query, "variables": {"input": given}}), administrator)
        if not accepted(body):
            raise SystemExit(f"{name}: {body.decode()[:1000]}")
        return orjson.loads(body)["data"][name]

    teacher, user = own_teacher(running.url)
    with psycopg.connect(running.url) as connection:
        [(year, semester)] = connection.execute(
            "SELECT y.id, m.id FROM academic_years y JOIN semesters m ON m.academic_year_id = y.id AND m.is_current WHERE y.is_current"
        ).fetchall()
        subjects = [
            row[0] for row in connection.execute("SELECT id FROM subjects WHERE is_active ORDER BY code LIMIT %s", [_ROUNDS]).fetchall()
        ]
        students = [
            row[0]
            for row in connection.execute(
                "SELECT s.id FROM students s JOIN classes c ON c.id = s.class_id WHERE s.is_active AND c.is_active"
                " ORDER BY hashtext(s.student_number) LIMIT %s",
                [SIZE],
            ).fetchall()
        ]
    given = {"academicYearId": f"year_{year.hex}", "name": "Assembly", "gradeLevel": 13, "section": "Z", "teacherId": f"tea_{teacher.hex}"}
    room = done("createClass", "class { id }", given)["class"]["id"]
    for subject in subjects:
        done(
            "createClassSubject",
            "classSubject { id }",
            {"classId": room, "subjectId": f"sub_{subject.hex}", "semesterId": f"sem_{semester.hex}"},
        )
    for student in students:
        done("moveStudent", "student { id }", {"id": f"stu_{student.hex}", "classId": room, "on": str(TODAY)})
    return LargeClass(UUID(hex=room.rpartition("_")[2]), user, subjects, students)


async def _statement(url: str, large: LargeClass) -> list[float]:
    """Returns the milliseconds of the statement alone, including its triggers, in transactions that are rolled back."""
    settings = load_settings()
    database = await Database.open(settings, url)
    rows = [
        {"id": None, "student_id": student, "status": "ABSENT" if n % 13 == 0 else "PRESENT", "excused": None, "excuse_reason": None,
         "arrival_time": None, "minutes_late": None, "minutes_present": None}
        for n, student in enumerate(large.students)
    ]  # fmt: skip
    values = {"class_id": large.class_id, "subject_id": large.subjects[0], "date": TODAY, "user_id": large.user_id, "source": "TEACHER"}
    statement = queries.mark_attendance.bind(entries=to_json(rows), **values)
    times = []
    try:
        async with database.acquire() as connection:
            for n in range(-5, _ROUNDS):  # the first warm up
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("SELECT set_config('rollcall.user_id', $1, true)", str(large.user_id))
                began = time.perf_counter()
                found = await connection.fetch(*statement)
                took = time.perf_counter() - began
                await transaction.rollback()
                if [each["change"] for each in found] != ["CREATED"] * SIZE:
                    raise SystemExit("the statement did not make 300 marks")
                if n >= 0:
                    times.append(took * 1000)
    finally:
        await database.close()
    return times


def measured_large(running: Contest, address: Address, large: LargeClass, token: str) -> dict[str, list[float]]:
    """Returns the milliseconds of the statement, and of requests that create 300 marks, change some of them, or change nothing."""
    found = {"statement, 300 marks made": asyncio.run(_statement(running.url, large))}
    for title, offset in (("request, 300 marks made", 0), ("request, some of 300 marks changed", 1), ("request, 300 marks unchanged", 1)):
        outcome = running.run(load(address, [large.submissions(token, offset)], seconds=60))
        found[title] = [each * 1000 for each in outcome.latencies]
    return found


def summary(times: list[float]) -> str:
    return f"median {percentile(times, 0.5):.1f} ms, 99 % within {percentile(times, 0.99):.1f} ms ({len(times)} times)"
