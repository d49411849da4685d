"""Attendance, its summaries, and that registers were taken."""

from db.queries import queries
from db.rows import Row
from resolvers.context import by_key, from_statement

__all__ = ["Attendance", "AttendanceSummary", "Register", "attendance_by_id", "attendance_summaries", "register_by_id"]


class Attendance(Row):
    __slots__ = ()
    type_name = "Attendance"
    tag = "att"


class AttendanceSummary(Row):
    __slots__ = ()
    type_name = "AttendanceSummary"


class Register(Row):
    __slots__ = ()
    type_name = "Register"
    tag = "reg"


attendance_by_id = by_key(queries.attendance, Attendance)
register_by_id = by_key(queries.registers, Register)
# Keys are students' ids, the argument is the period as pairs: ("from_date", …), ("to_date", …). No row for a student without marks in it.
attendance_summaries = from_statement(queries.attendance_summaries, AttendanceSummary)
