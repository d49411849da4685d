"""Students and their classes, written by administrators."""

from datetime import date

import strawberry

from auth.capabilities import Capability
from resolvers import classes, students
from resolvers.writing.students import create_student, deactivate_student, move_student, reenroll_student, update_student
from schema.inputs import CreateInput, MutationInput, UpdateInput, may, must, node_id
from schema.listings.students import LeavingReason
from schema.mutations import mutation, payload_node
from schema.writing.people import EMAIL

__all__ = ["STUDENT", "StudentMutations"]

STUDENT = payload_node(students.student_by_id, "The student as they are now.")


@strawberry.input(description="A student, with an account that has no password yet.")
class CreateStudentInput(CreateInput):
    first_name: str = must("First name.")
    last_name: str = must("Last name.")
    student_number: str = must("The number that the school gives, unique in the school.")
    birth_date: date | None = may("Date of birth.")
    enrollment_date: date | None = may("The first day at the school; today when left out.")
    class_id: strawberry.ID | None = node_id(classes.Class, "The class, from the day of enrolment on.", optional=True)
    email: str | None = may(EMAIL)
    phone: str | None = may("Telephone number.")
    address: str | None = may("Postal address.", multiline=True)


@strawberry.input(description="What to change of a student.")
class UpdateStudentInput(UpdateInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    first_name: str | None = may("First name.")
    last_name: str | None = may("Last name.")
    student_number: str | None = may("The number that the school gives.")
    birth_date: date | None = may("Date of birth.")
    enrollment_date: date | None = may("The first day at the school.")
    email: str | None = may(EMAIL)
    phone: str | None = may("Telephone number.")
    address: str | None = may("Postal address.", multiline=True)


@strawberry.input(description="Which student leaves, when and why.")
class DeactivateStudentInput(UpdateInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    on: date | None = may("The last day in the class; today when left out.")
    reason: LeavingReason | None = may("Why; `LEFT` when left out.")
    note: str | None = may("What the office notes.", multiline=True)


@strawberry.input(description="Which student comes back, and where to.")
class ReenrollStudentInput(UpdateInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    class_id: strawberry.ID = node_id(classes.Class, "The class they come into.")
    on: date | None = may("The first day in the class; today when left out.")
    note: str | None = may("What the office notes.", multiline=True)


@strawberry.input(description="Which student goes to which class.")
class MoveStudentInput(MutationInput):
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    class_id: strawberry.ID = node_id(classes.Class, "The class they go to.")
    on: date | None = may("The first day in it; today when left out.")
    note: str | None = may("What the office notes.", multiline=True)
    version: int | None = may("The student's version that you saw: when it has changed since, you get `CONFLICT`.")


_ADMIN = Capability.MANAGE_SCHOOL


@strawberry.type
class StudentMutations:
    create_student = mutation(_ADMIN, CreateStudentInput, create_student, description="Makes a student.", student=STUDENT)
    update_student = mutation(_ADMIN, UpdateStudentInput, update_student, description="Changes a student.", student=STUDENT)
    deactivate_student = mutation(
        _ADMIN,
        DeactivateStudentInput,
        deactivate_student,
        revokes_access=True,
        description="A student leaves: the time in the class ends, the account signs in no more, the record stays.",
        student=STUDENT,
    )
    reenroll_student = mutation(
        _ADMIN, ReenrollStudentInput, reenroll_student, revokes_access=True, description="A student comes back.", student=STUDENT
    )
    move_student = mutation(
        _ADMIN,
        MoveStudentInput,
        move_student,
        description="A student goes to another class; the history keeps both.",
        student=STUDENT,
    )
