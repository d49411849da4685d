"""Mutations of students and their classes, for administrators."""

from datetime import date

import strawberry

from auth.capabilities import Capability
from resolvers import classes, students
from resolvers.writing.students import create_student, deactivate_student, move_student, reenroll_student, update_student
from schema.inputs import CreateInput, MutationInput, UpdateInput, node_id, optional, required
from schema.listings.students import LeavingReason
from schema.mutations import mutation, payload_node
from schema.roots import mutation_fields
from schema.writing.people import EMAIL

__all__ = ["STUDENT", "StudentMutations"]

STUDENT = payload_node(students.student_by_id, "The student as they are now.")


@strawberry.input(description="A student, with an account without a password.")
class CreateStudentInput(CreateInput):
    first_name: str = required("First name.")
    last_name: str = required("Last name.")
    student_number: str = required("The number assigned by the school, unique in the school.")
    birth_date: date | None = optional("Date of birth.")
    enrollment_date: date | None = optional("The first day at the school. Defaults to today.")
    class_id: strawberry.ID | None = node_id(classes.Class, "The class, from the first day at the school on.", optional=True)
    email: str | None = optional(EMAIL)
    phone: str | None = optional("Telephone number.")
    address: str | None = optional("Postal address.", multiline=True)


@strawberry.input(description="Changes to a student.")
class UpdateStudentInput(UpdateInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    first_name: str | None = optional("First name.")
    last_name: str | None = optional("Last name.")
    student_number: str | None = optional("The number assigned by the school.")
    birth_date: date | None = optional("Date of birth.")
    enrollment_date: date | None = optional("The first day at the school.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional("Telephone number.")
    address: str | None = optional("Postal address.", multiline=True)


@strawberry.input(description="The student who leaves, when and why.")
class DeactivateStudentInput(UpdateInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    on: date | None = optional("The last day in the class. Defaults to today.")
    reason: LeavingReason | None = optional("The reason. Defaults to `LEFT`.")
    note: str | None = optional("A note by the office.", multiline=True)


@strawberry.input(description="The student who comes back, and their class.")
class ReenrollStudentInput(UpdateInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    class_id: strawberry.ID = node_id(classes.Class, "The class.")
    on: date | None = optional("The first day in the class. Defaults to today.")
    note: str | None = optional("A note by the office.", multiline=True)


@strawberry.input(description="The student and their new class.")
class MoveStudentInput(MutationInput):
    id: strawberry.ID = node_id(students.Student, "The student.")
    class_id: strawberry.ID = node_id(classes.Class, "The new class.")
    on: date | None = optional("The first day in the new class. Defaults to today.")
    note: str | None = optional("A note by the office.", multiline=True)
    version: int | None = optional("The student's version that you read. If it has changed since then, the answer is `CONFLICT`.")


_ADMIN = Capability.MANAGE_SCHOOL


@mutation_fields
class StudentMutations:
    create_student = mutation(_ADMIN, CreateStudentInput, create_student, description="Creates a student.", student=STUDENT)
    update_student = mutation(_ADMIN, UpdateStudentInput, update_student, description="Updates a student.", student=STUDENT)
    deactivate_student = mutation(
        _ADMIN,
        DeactivateStudentInput,
        deactivate_student,
        revokes_access=True,
        description="Deactivates a student who leaves: the class membership ends, the account can no longer sign in, and the record stays.",
        student=STUDENT,
    )
    reenroll_student = mutation(
        _ADMIN, ReenrollStudentInput, reenroll_student, revokes_access=True, description="Enrols a student who comes back.", student=STUDENT
    )
    move_student = mutation(
        _ADMIN,
        MoveStudentInput,
        move_student,
        description="Moves a student to another class. The history keeps both memberships.",
        student=STUDENT,
    )
