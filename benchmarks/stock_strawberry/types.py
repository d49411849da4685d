"""Defines the types as annotated classes, with edges as async resolvers that use the request's data loaders.

Follows the guides "Schema basics", "Resolvers" and "DataLoaders" of Strawberry's documentation.
"""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry
from strawberry.types import Info

__all__ = ["Query"]


@strawberry.type
class User:
    id: strawberry.ID
    first_name: str
    last_name: str


@strawberry.type
class Subject:
    id: strawberry.ID
    name: str


@strawberry.type
class Grade:
    id: strawberry.ID
    assessment_date: date
    percentage: Decimal | None
    letter: str | None
    subject_id: strawberry.Private[UUID]

    @strawberry.field
    async def subject(self, info: Info) -> Subject | None:
        row = await info.context["subjects"].load(self.subject_id)
        return row and Subject(id=strawberry.ID(f"sub_{row['id'].hex}"), name=row["name"])


@strawberry.type
class GradeConnection:
    nodes: list[Grade]


@strawberry.type
class Attendance:
    id: strawberry.ID
    date: date
    status: str
    excused: bool
    minutes_late: int | None


@strawberry.type
class AttendanceConnection:
    nodes: list[Attendance]


@strawberry.type
class Student:
    id: strawberry.ID
    student_number: str
    enrollment_date: date
    is_active: bool
    key: strawberry.Private[UUID]
    user_id: strawberry.Private[UUID]
    class_id: strawberry.Private[UUID | None]

    @strawberry.field
    async def user(self, info: Info) -> User | None:
        row = await info.context["users"].load(self.user_id)
        return row and User(id=strawberry.ID(f"usr_{row['id'].hex}"), first_name=row["first_name"], last_name=row["last_name"])

    @strawberry.field(name="class")
    async def class_(self, info: Info) -> "Class | None":
        return None if self.class_id is None else class_of(await info.context["classes"].load(self.class_id))

    @strawberry.field
    async def grades(self, info: Info, first: int) -> GradeConnection:
        rows = await info.context["grades"].load((self.key, first))
        return GradeConnection(
            nodes=[
                Grade(
                    id=strawberry.ID(f"gra_{row['id'].hex}"),
                    assessment_date=row["assessment_date"],
                    percentage=row["percentage"],
                    letter=row["letter"],
                    subject_id=row["subject_id"],
                )
                for row in rows
            ]
        )

    @strawberry.field
    async def attendance(self, info: Info, first: int) -> AttendanceConnection:
        rows = await info.context["attendance"].load((self.key, first))
        return AttendanceConnection(
            nodes=[
                Attendance(
                    id=strawberry.ID(f"att_{row['id'].hex}"),
                    date=row["date"],
                    status=row["status"],
                    excused=row["excused"],
                    minutes_late=row["minutes_late"],
                )
                for row in rows
            ]
        )


@strawberry.type
class StudentConnection:
    nodes: list[Student]


@strawberry.type
class Class:
    id: strawberry.ID
    name: str
    grade_level: int
    section: str
    room: str | None
    key: strawberry.Private[UUID]

    @strawberry.field
    async def students(self, info: Info, first: int) -> StudentConnection:
        rows = await info.context["class_students"].load((self.key, first))
        return StudentConnection(nodes=[student_of(row) for row in rows])


def class_of(row: Any) -> Class | None:
    return row and Class(
        id=strawberry.ID(f"cls_{row['id'].hex}"),
        name=row["name"],
        grade_level=row["grade_level"],
        section=row["section"],
        room=row["room"],
        key=row["id"],
    )


def student_of(row: Any) -> Student | None:
    return row and Student(
        id=strawberry.ID(f"stu_{row['id'].hex}"),
        student_number=row["student_number"],
        enrollment_date=row["enrollment_date"],
        is_active=row["is_active"],
        key=row["id"],
        user_id=row["user_id"],
        class_id=row["class_id"],
    )


@strawberry.type
class Query:
    @strawberry.field
    async def student(self, info: Info, id: strawberry.ID) -> Student | None:
        return student_of(await info.context["students"].load(UUID(id.removeprefix("stu_"))))

    @strawberry.field(name="class")
    async def class_(self, info: Info, id: strawberry.ID) -> Class | None:
        return class_of(await info.context["classes"].load(UUID(id.removeprefix("cls_"))))

    @strawberry.field
    async def students(self, info: Info, first: int) -> StudentConnection:
        rows = await info.context["pool"].fetch(
            "SELECT id, student_number, enrollment_date, is_active, user_id, class_id FROM students ORDER BY sort_key, id LIMIT $1", first
        )
        return StudentConnection(nodes=[student_of(row) for row in rows])
