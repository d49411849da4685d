"""Mutations of attendance: registers by teachers, corrections by the office."""

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
from schema.inputs import IdempotentInput, node_id, optional, required
from schema.listings.attendance import AttendanceStatus
from schema.mutations import mutation, payload_node, payload_value
from schema.references import to_one
from schema.roots import mutation_fields

__all__ = ["AttendanceMutations", "RegisterChange"]


@strawberry.enum(description="The effect of an entry of a register.")
class AttendanceChangeKind(Enum):
    CREATED = strawberry.enum_value("CREATED", description="The mark was created.")
    UPDATED = strawberry.enum_value("UPDATED", description="The mark was changed; the audit log keeps the previous values.")
    UNCHANGED = strawberry.enum_value("UNCHANGED", description="The mark already had these values.")
    KEPT = strawberry.enum_value("KEPT", description="The office's mark differs and was kept; the teacher's entry is stored beside it.")


@strawberry.type(description="The result of an entry of a register.")
class RegisterChange:
    change: AttendanceChangeKind = strawberry.field(description="The result.")
    previous_status: AttendanceStatus | None = strawberry.field(description="The previous status; null if there was no mark.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    attendance = to_one(attendance.attendance_by_id, "attendance_id", description="The mark as it is now.")


@strawberry.type(description="A student who was in the class that day and has no entry in the register.")
class NotMarked:
    student = to_one(students.student_by_id, "student_id", description="The student.")


@strawberry.input(description="A student's entry in a register.")
class RegisterEntryInput:
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    status: AttendanceStatus = required("Whether the student was present.")
    excused: bool | None = optional("Whether the absence or lateness is excused. Defaults to false.")
    excuse_reason: str | None = optional("The reason for the excuse.", multiline=True)
    arrival_time: time | None = optional("When the student arrived, in the school's time.")
    minutes_late: int | None = optional(
        "The minutes of lateness. For a whole day they default to the time from the first period to `arrivalTime`."
    )
    minutes_present: int | None = optional("The minutes of presence.")
    client_id: UUID | None = optional("The UUID of the mark, if the client generates it.")


@strawberry.input(
    description="The register of a class for a day. Students without an entry stay unmarked; they are not counted as present."
)
class SubmitRegisterInput(IdempotentInput):
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    date: Date = required("The date, in the school's time zone.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject. Defaults to the whole day.", optional=True)
    entries: list[RegisterEntryInput] = required("At most 500 entries, one per student.")


@strawberry.input(
    description="A correction of a student's attendance by the office. Registers submitted later by teachers do not change it."
)
class CorrectAttendanceInput(IdempotentInput):
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    date: Date = required("The date, in the school's time zone.")
    subject_id: strawberry.ID | None = node_id(subjects.Subject, "The subject. Defaults to the whole day.", optional=True)
    status: AttendanceStatus = required("Whether the student was present.")
    excused: bool | None = optional("Whether the absence or lateness is excused. Defaults to false.")
    excuse_reason: str | None = optional("The reason for the excuse.", multiline=True)
    arrival_time: time | None = optional("When the student arrived, in the school's time.")
    minutes_late: int | None = optional(
        "The minutes of lateness. For a whole day they default to the time from the first period to `arrivalTime`."
    )
    minutes_present: int | None = optional("The minutes of presence.")
    client_id: UUID | None = optional("The UUID of the mark, if the client generates it.")


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


@mutation_fields
class AttendanceMutations:
    submit_register = mutation(
        Capability.TEACH,
        SubmitRegisterInput,
        submit_register,
        scope="submitRegister",
        description="Submits the register of a class for a day, for the first time or again.",
        register=payload_node(registers.register_by_id, "The register."),
        changes=payload_value(list[RegisterChange], "The result of each entry, in order.", _changes, []),
        not_marked=payload_value(list[NotMarked], "The students who were in the class that day and have no entry.", _not_marked, []),
    )
    correct_attendance = mutation(
        Capability.MANAGE_SCHOOL,
        CorrectAttendanceInput,
        correct_attendance,
        scope="correctAttendance",
        description="Corrects a student's attendance by the office; the teacher's entry is stored beside it.",
        attendance=payload_node(attendance.attendance_by_id, "The mark as it is now."),
        change=payload_value(AttendanceChangeKind | None, "The result."),
        previous_status=payload_value(AttendanceStatus | None, "The previous status; null if there was no mark."),
    )
