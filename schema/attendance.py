"""Attendance, mark by mark."""

from datetime import date as Date  # noqa: N812 - the field is called date
from datetime import datetime, time
from enum import Enum

import strawberry

from auth.capabilities import Capability
from execution.fields import edge
from resolvers import attendance, classes, students, subjects, users
from schema.connections import root_connection
from schema.listings.attendance import ATTENDANCE, AttendanceStatus
from schema.nodes import Node, node
from schema.references import to_one

__all__ = ["Attendance", "AttendanceQueries", "OverruledMark"]


@strawberry.enum(description="Who entered a mark. The office's is not overwritten by a teacher's.")
class AttendanceSource(Enum):
    TEACHER = strawberry.enum_value("TEACHER", description="A teacher, in a register.")
    OFFICE = strawberry.enum_value("OFFICE", description="The office, as a correction.")


@node(attendance.Attendance, attendance.attendance_by_id)
@strawberry.type(description="Whether a student was there on a day: all day, or in a subject.")
class Attendance(Node):
    date: Date = strawberry.field(description="The day, where the school is.")
    status: AttendanceStatus = strawberry.field(description="Whether the student was there.")
    excused: bool = strawberry.field(description="Whether it is excused.")
    excuse_reason: str | None = strawberry.field(description="Why it is excused.")
    arrival_time: time | None = strawberry.field(description="When the student came, where the school is.")
    minutes_late: int | None = strawberry.field(description="How many minutes late.")
    minutes_present: int | None = strawberry.field(description="How many minutes the student was there.")
    source: AttendanceSource = strawberry.field(description="Who entered it.")
    created_at: datetime = strawberry.field(description="When it was first marked.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class the student was in.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null for a whole-day mark.")
    marked_by = to_one(users.user_by_id, "marked_by", description="Who marked it.")
    overruled: list["OverruledMark"] = edge(
        attendance.overruled_marks, "id", description="What teachers entered and the office's word stands above, earliest first."
    )


@strawberry.type(description="What a teacher entered, and the office's word stands above.")
class OverruledMark:
    status: AttendanceStatus = strawberry.field(description="Whether the student was there, as the teacher entered it.")
    excused: bool = strawberry.field(description="Whether it was excused.")
    excuse_reason: str | None = strawberry.field(description="Why it was excused.")
    arrival_time: time | None = strawberry.field(description="When the student came, where the school is.")
    minutes_late: int | None = strawberry.field(description="How many minutes late.")
    minutes_present: int | None = strawberry.field(description="How many minutes the student was there.")
    created_at: datetime = strawberry.field(description="When it was overruled.")
    marked_by = to_one(users.user_by_id, "marked_by", description="Who entered it.")


@strawberry.type
class AttendanceQueries:
    attendance = root_connection(
        ATTENDANCE, Capability.SIGNED_IN, count_cost=1_000, description="The attendance marks you may see, latest day first."
    )
