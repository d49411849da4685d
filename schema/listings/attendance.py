"""Lists of attendance marks and registers."""

from datetime import date
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.attendance import Attendance
from resolvers.classes import Class
from resolvers.registers import Register
from resolvers.students import Student
from resolvers.subjects import Subject
from resolvers.users import User
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["ATTENDANCE", "REGISTERS", "AttendanceStatus"]


@strawberry.enum(description="Whether a student was present. Whether an absence is excused is stated separately.")
class AttendanceStatus(Enum):
    PRESENT = strawberry.enum_value("PRESENT", description="Present all the time.")
    ABSENT = strawberry.enum_value("ABSENT", description="Not present.")
    LATE = strawberry.enum_value("LATE", description="Came late.")
    LEFT_EARLY = strawberry.enum_value("LEFT_EARLY", description="Left early.")
    PARTIAL = strawberry.enum_value("PARTIAL", description="Present for a part of the time.")


@strawberry.enum(description="The fields by which attendance can be sorted.")
class AttendanceOrderField(Enum):
    DATE = strawberry.enum_value("date", description="The date.")


@strawberry.input(description="Conditions for attendance marks.")
class AttendanceFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Of these students.")
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    whole_day: bool | None = optional("Whole-day marks (true), or those of a subject (false).")
    on: date | None = optional("On this date.")
    from_date: date | None = optional("On or after this date.")
    to_date: date | None = optional("On or before this date.")
    statuses: list[AttendanceStatus] | None = optional("With one of these statuses.")
    fully_present: bool | None = optional(
        "Only marks as `PRESENT` (true), or all others: absent, late, left early or partly present (false)."
    )
    excused: bool | None = optional("Whether the absence or lateness is excused.")
    marked_by_ids: list[strawberry.ID] | None = id_filter(User, "User", description="Marked by one of these users.")


ATTENDANCE = Listing(
    queries.attendance,
    Attendance,
    order_input("Attendance", AttendanceOrderField),
    AttendanceOrderField.DATE,
    AttendanceFilter,
    descending=True,
)


@strawberry.enum(description="The fields by which registers can be sorted.")
class RegisterOrderField(Enum):
    DATE = strawberry.enum_value("date", description="The date.")
    SUBMITTED_AT = strawberry.enum_value("submitted_at", description="When it was submitted.")


@strawberry.input(description="Conditions for registers.")
class RegisterFilter:
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of these classes.")
    whole_day: bool | None = optional("Whole-day registers (true), or those of a subject (false).")
    on: date | None = optional("On this date.")
    from_date: date | None = optional("On or after this date.")
    to_date: date | None = optional("On or before this date.")


REGISTERS = Listing(
    queries.registers,
    Register,
    order_input("Register", RegisterOrderField),
    RegisterOrderField.DATE,
    RegisterFilter,
    descending=True,
)
