"""How attendance and registers are listed."""

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


@strawberry.enum(description="Whether a student was there. Whether an absence is excused is a fact of its own.")
class AttendanceStatus(Enum):
    PRESENT = strawberry.enum_value("PRESENT", description="There, all the time.")
    ABSENT = strawberry.enum_value("ABSENT", description="Not there.")
    LATE = strawberry.enum_value("LATE", description="Came late.")
    LEFT_EARLY = strawberry.enum_value("LEFT_EARLY", description="Left before the end.")
    PARTIAL = strawberry.enum_value("PARTIAL", description="There for a part of the time.")


@strawberry.enum(description="What attendance may be sorted by.")
class AttendanceOrderField(Enum):
    DATE = strawberry.enum_value("date", description="The day.")


@strawberry.input(description="Which attendance marks.")
class AttendanceFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Of these students.")
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of these classes.")
    subject_ids: list[strawberry.ID] | None = id_filter(Subject, "Subject", description="In these subjects.")
    whole_day: bool | None = optional("Whole-day marks (true), or those of a subject (false).")
    on: date | None = optional("Of this day.")
    from_date: date | None = optional("Of this day or later.")
    to_date: date | None = optional("Of this day or earlier.")
    statuses: list[AttendanceStatus] | None = optional("With one of these statuses.")
    absent: bool | None = optional("All but `PRESENT` (true), or `PRESENT` alone (false).")
    excused: bool | None = optional("Whether it is excused.")
    marked_by_ids: list[strawberry.ID] | None = id_filter(User, "User", description="Marked by one of these users.")


ATTENDANCE = Listing(
    queries.attendance,
    Attendance,
    order_input("Attendance", AttendanceOrderField),
    AttendanceOrderField.DATE,
    AttendanceFilter,
    descending=True,
)


@strawberry.enum(description="What registers may be sorted by.")
class RegisterOrderField(Enum):
    DATE = strawberry.enum_value("date", description="The day.")
    SUBMITTED_AT = strawberry.enum_value("submitted_at", description="When it was submitted.")


@strawberry.input(description="Which registers.")
class RegisterFilter:
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of these classes.")
    whole_day: bool | None = optional("Whole-day registers (true), or those of a subject (false).")
    on: date | None = optional("Of this day.")
    from_date: date | None = optional("Of this day or later.")
    to_date: date | None = optional("Of this day or earlier.")


REGISTERS = Listing(
    queries.registers,
    Register,
    order_input("Register", RegisterOrderField),
    RegisterOrderField.DATE,
    RegisterFilter,
    descending=True,
)
