"""Attendance marks."""

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
from schema.record_fields import version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Attendance", "AttendanceQueries", "OverruledMark"]


@strawberry.enum(description="Who entered a mark. Marks by the office are not overwritten by teachers.")
class AttendanceSource(Enum):
    TEACHER = strawberry.enum_value("TEACHER", description="A teacher, in a register.")
    OFFICE = strawberry.enum_value("OFFICE", description="The office, as a correction.")


@node(attendance.Attendance, attendance.attendance_by_id)
@strawberry.type(description="A student's attendance on a day: for the whole day or in a subject.")
class Attendance(Node):
    date: Date = strawberry.field(description="The date, in the school's time zone.")
    status: AttendanceStatus = strawberry.field(description="Whether the student was present.")
    excused: bool = strawberry.field(description="Whether the absence or lateness is excused.")
    excuse_reason: str | None = strawberry.field(description="The reason for the excuse.")
    arrival_time: time | None = strawberry.field(description="When the student arrived, in the school's time.")
    minutes_late: int | None = strawberry.field(description="The minutes by which the student was late.")
    minutes_present: int | None = strawberry.field(description="The minutes of presence.")
    source: AttendanceSource = strawberry.field(description="Who entered it.")
    created_at: datetime = strawberry.field(description="When the mark was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = version_field()
    student = to_one(students.student_by_id, "student_id", description="The student.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The student's class at the time.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null for a whole-day mark.")
    marked_by = to_one(users.user_by_id, "marked_by", description="Who marked it.")
    overruled_marks: list["OverruledMark"] = edge(
        attendance.overruled_marks, "id", description="Teachers' entries that the office has overruled, earliest first."
    )


@strawberry.type(description="A teacher's entry that the office has overruled.")
class OverruledMark:
    status: AttendanceStatus = strawberry.field(description="Whether the student was present, as entered by the teacher.")
    excused: bool = strawberry.field(description="Whether the absence or lateness was excused.")
    excuse_reason: str | None = strawberry.field(description="The reason for the excuse.")
    arrival_time: time | None = strawberry.field(description="When the student arrived, in the school's time.")
    minutes_late: int | None = strawberry.field(description="The minutes by which the student was late.")
    minutes_present: int | None = strawberry.field(description="The minutes of presence.")
    created_at: datetime = strawberry.field(description="When it was overruled.")
    marked_by = to_one(users.user_by_id, "marked_by", description="Who entered it.")


@query_fields
class AttendanceQueries:
    attendance = root_connection(
        ATTENDANCE, Capability.SIGNED_IN, count_cost=1_000, description="The attendance marks you may see, latest date first."
    )
