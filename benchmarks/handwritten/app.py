"""Implements three servers over plain HTTP. A request's path names the screen; its body is a JSON object with `id` or `first`.

`bare` sends responses from a file, `statement` lets PostgreSQL build the JSON, `rows` combines rows in Python and serialises them with orjson.
"""

import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.handwritten.statements import JSON, ROWS

__all__ = ["bare", "rows", "statement"]

Answer = Callable[["asyncpg.Pool[Any]", dict[str, Any]], Awaitable[bytes]]


@asynccontextmanager
async def _pool(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=5, max_size=25) as pool:
        app.state.pool = pool
        yield


def _app(answers: dict[str, Answer]) -> Starlette:
    def route(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            body = await answer(request.app.state.pool, orjson.loads(await request.body()))
            return Response(body, media_type="application/json")

        return respond

    return Starlette(routes=[Route(f"/{screen}", route(answer), methods=["POST"]) for screen, answer in answers.items()], lifespan=_pool)


def _argument(given: dict[str, Any]) -> Any:
    return UUID(given["id"][4:]) if "id" in given else given["first"]


def bare() -> Starlette:
    """Returns the `bare` application. BARE_ANSWERS names a JSON file that maps paths to the texts to send."""
    texts = orjson.loads(Path(os.environ["BARE_ANSWERS"]).read_bytes())

    def route(body: bytes) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            return Response(body, media_type="application/json")

        return respond

    return Starlette(routes=[Route(path, route(text.encode()), methods=["POST"]) for path, text in texts.items()])


def statement() -> Starlette:
    def answer(sql: str) -> Answer:
        async def run(pool: "asyncpg.Pool[Any]", given: dict[str, Any]) -> bytes:
            text: str = await pool.fetchval(sql, _argument(given))
            return text.encode()

        return run

    return _app({screen: answer(sql) for screen, sql in JSON.items()})


def rows() -> Starlette:
    return _app({"small": _small, "medium": _medium, "large": _large})


async def _small(pool: "asyncpg.Pool[Any]", given: dict[str, Any]) -> bytes:
    row: Any = await pool.fetchrow(ROWS["small"], _argument(given))
    found: dict[str, Any] = {
        "id": f"stu_{row['id'].hex}",
        "studentNumber": row["student_number"],
        "enrollmentDate": row["enrollment_date"],
        "isActive": row["is_active"],
        "user": _user(row),
        "class": _class(row),
    }
    if found["class"] is not None:
        found["class"]["room"] = row["room"]
    return orjson.dumps({"data": {"student": found}})


async def _medium(pool: "asyncpg.Pool[Any]", given: dict[str, Any]) -> bytes:
    key = _argument(given)
    of_class: Any = await pool.fetchrow(ROWS["class"], key)
    students = await pool.fetch(ROWS["class_students"], key)
    grades: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in await pool.fetch(ROWS["grades"], [student["id"] for student in students]):
        percentage = row["percentage"]
        grades[row["key"]].append(
            {
                "id": f"gra_{row['id'].hex}",
                "assessmentDate": row["assessment_date"],
                "percentage": None if percentage is None else str(percentage),
                "letter": row["letter"],
                "subject": {"id": f"sub_{row['subject_id'].hex}", "name": row["name"]},
            }
        )
    nodes = [
        {
            "id": f"stu_{student['id'].hex}",
            "studentNumber": student["student_number"],
            "isActive": student["is_active"],
            "grades": {"nodes": grades[student["id"]]},
        }
        for student in students
    ]
    found = {
        "id": f"cls_{of_class['id'].hex}",
        "name": of_class["name"],
        "gradeLevel": of_class["grade_level"],
        "section": of_class["section"],
        "students": {"nodes": nodes},
    }
    return orjson.dumps({"data": {"class": found}})


async def _large(pool: "asyncpg.Pool[Any]", given: dict[str, Any]) -> bytes:
    students = await pool.fetch(ROWS["students"], _argument(given))
    attendance: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in await pool.fetch(ROWS["attendance"], [student["id"] for student in students]):
        attendance[row["key"]].append(
            {
                "id": f"att_{row['id'].hex}",
                "date": row["date"],
                "status": row["status"],
                "excused": row["excused"],
                "minutesLate": row["minutes_late"],
            }
        )
    nodes = [
        {
            "id": f"stu_{student['id'].hex}",
            "studentNumber": student["student_number"],
            "isActive": student["is_active"],
            "user": _user(student),
            "class": _class(student),
            "attendance": {"nodes": attendance[student["id"]]},
        }
        for student in students
    ]
    return orjson.dumps({"data": {"students": {"nodes": nodes}}})


def _user(row: Any) -> dict[str, Any]:
    return {"id": f"usr_{row['user_id'].hex}", "firstName": row["first_name"], "lastName": row["last_name"]}


def _class(row: Any) -> dict[str, Any] | None:
    if row["class_id"] is None:
        return None
    return {"id": f"cls_{row['class_id'].hex}", "name": row["name"], "gradeLevel": row["grade_level"], "section": row["section"]}
