"""Registers and corrections, written by teachers and the office."""

from datetime import date as Date  # noqa: N812 - the field is called date
from datetime import time
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import strawberry

from auth.capabilities import Capability
from resolvers import attendance, classes, registers, students, subjects
from resolvers.writing.attendance import correct_attendance, submit_register
from schema.inputs import IdempotentInput, may, must, node_id
from schema.listings.attendance import AttendanceStatus
from schema.mutations import mutation, payload_node, payload_value
from schema.references import to_one

__all__ = ["AttendanceMutations", "RegisterChange"]


@strawberry.enum(description="What came of an entry of a register.")
class MarkChange(Enum):
    CREATED = strawberry.enum_value("CREATED", description="The first mark of this student for this.")
    UPDATED = strawberry.enum_value("UPDATED", description="It changed what was marked; the audit log keeps what it was.")
    UNCHANGED = strawberry.enum_value("UNCHANGED", description="It was marked so already.")
    KEPT = strawberry.enum_value("KEPT", description="The office has entered something else, which stands; the entry is kept beside it.")


@strawberry.type(description="What came of one entry of a register.")
class RegisterChange:
    change: MarkChange = strawberry.field(description="What came of it.")
    previous_status: AttendanceStatus | None = strawberry.field(description="What was marked before; null when nothing was.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    attendance = to_one(attendance.attendance_by_id, "attendance_id", description="The mark as it is now.")


@strawberry.type(description="A student who was in the class that day and whom the register does not name.")
class NotMarked:
    student = to_one(students.student_by_id, "student_id", description="The student.")


@strawberry.input(description="What a register says of one student.")
class RegisterEntryInput:
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    status: AttendanceStatus = must("Whether the student was there.")
    excused: bool | None = may("Whether it is excused; not, when left out.")
    excuse_reason: str | None = may("Why it is excused.", multiline=True)
    arrival_time: time | None = may("When the student came, where the school is.")
    minutes_late: int | None = may("How many minutes late; of a whole day from `arrivalTime` and the first period when left out.")
    minutes_present: int | None = may("How many minutes the student was there.")
    client_id: UUID | None = may("The mark's UUID, when you make it yourself.")


@strawberry.input(description="The register of a class on a day. Whom it does not name stays unmarked: silence is not presence.")
class SubmitRegisterInput(IdempotentInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    date: Date = must("The day, where the school is.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject; left out: the whole day.", optional=True)
    entries: list[RegisterEntryInput] = must("At most 500, each of another student.")


@strawberry.input(description="The office's word on a student's day. A teacher's later register does not change it.")
class CorrectAttendanceInput(IdempotentInput):
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    date: Date = must("The day, where the school is.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject; left out: the whole day.", optional=True)
    status: AttendanceStatus = must("Whether the student was there.")
    excused: bool | None = may("Whether it is excused; not, when left out.")
    excuse_reason: str | None = may("Why it is excused.", multiline=True)
    arrival_time: time | None = may("When the student came, where the school is.")
    minutes_late: int | None = may("How many minutes late; of a whole day from `arrivalTime` and the first period when left out.")
    minutes_present: int | None = may("How many minutes the student was there.")
    client_id: UUID | None = may("The mark's UUID, when you make it yourself.")


def _changes(answered: Any) -> Any:
    return [
        SimpleNamespace(
            change=each["change"],
            previous_status=each["previous_status"],
            student_id=UUID(str(each["student_id"])),
            attendance_id=UUID(str(each["attendance_id"])),
        )
        for each in answered
    ]


def _not_marked(answered: Any) -> Any:
    return [SimpleNamespace(student_id=UUID(str(each))) for each in answered]


@strawberry.type
class AttendanceMutations:
    submit_register = mutation(
        Capability.TEACH,
        SubmitRegisterInput,
        submit_register,
        scope="submitRegister",
        description="Takes the register of a class on a day, or takes it again.",
        register=payload_node(registers.register_by_id, "That it was taken."),
        changes=payload_value(list[RegisterChange], "What came of each entry, in their order.", _changes, []),
        not_marked=payload_value(list[NotMarked], "Who was in the class that day and is not named.", _not_marked, []),
    )
    correct_attendance = mutation(
        Capability.MANAGE_SCHOOL,
        CorrectAttendanceInput,
        correct_attendance,
        scope="correctAttendance",
        description="Enters the office's word on a student's day; what the teacher entered is kept beside it.",
        attendance=payload_node(attendance.attendance_by_id, "The mark as it is now."),
        change=payload_value(MarkChange | None, "What came of it."),
        previous_status=payload_value(AttendanceStatus | None, "What was marked before; null when nothing was."),
    )
