"""Mutations of guardians, teachers and users, for administrators."""

from datetime import date

import strawberry

from auth.capabilities import Capability
from resolvers import guardians, students, teachers, users
from resolvers.writing.guardians import link_guardian, unlink_guardian
from resolvers.writing.people import (
    create_guardian,
    create_teacher,
    deactivate_guardian,
    deactivate_teacher,
    reactivate_guardian,
    reactivate_teacher,
    update_guardian,
    update_teacher,
)
from resolvers.writing.users import create_user, deactivate_user, reactivate_user, update_own_contact, update_user
from schema.guardians import Relationship
from schema.inputs import CreateInput, MutationInput, UpdateInput, node_id, optional, required
from schema.listings.users import Role
from schema.mutations import mutation, payload_node
from schema.roots import mutation_fields

__all__ = ["EMAIL", "PeopleMutations"]

EMAIL = "E-mail address, which is also the name for signing in."
_PHONE = "Telephone number."
_ADDRESS = "Postal address."
_TEACHER = payload_node(teachers.teacher_by_id, "The teacher as they are now.")
_GUARDIAN = payload_node(guardians.guardian_by_id, "The guardian as they are now.")
_STUDENT = payload_node(students.student_by_id, "The student as they are now.")
_USER = payload_node(users.user_by_id, "The user as they are now.")


@strawberry.input(description="A teacher: a new person or an existing user.")
class CreateTeacherInput(CreateInput):
    user_id: strawberry.ID | None = node_id(users.User, "An existing user who becomes a teacher; their name is kept.", optional=True)
    first_name: str | None = optional("First name of a new person.")
    last_name: str | None = optional("Last name of a new person.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional(_PHONE)
    address: str | None = optional(_ADDRESS, multiline=True)
    employee_number: str = required("The number assigned by the school, unique in the school.")
    specialization: str | None = optional("The specialization.")
    joining_date: date = required("The date on which they join the school.")


@strawberry.input(description="Changes to a teacher.")
class UpdateTeacherInput(UpdateInput):
    id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")
    first_name: str | None = optional("First name.")
    last_name: str | None = optional("Last name.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional(_PHONE)
    address: str | None = optional(_ADDRESS, multiline=True)
    employee_number: str | None = optional("The number assigned by the school.")
    specialization: str | None = optional("The specialization.")
    joining_date: date | None = optional("The date on which they joined the school.")


@strawberry.input(description="The teacher.")
class DeactivateTeacherInput(UpdateInput):
    id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")


@strawberry.input(description="The teacher.")
class ReactivateTeacherInput(UpdateInput):
    id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")


@strawberry.input(description="A guardian: a new person or an existing user.")
class CreateGuardianInput(CreateInput):
    user_id: strawberry.ID | None = node_id(
        users.User,
        "An existing user who becomes a guardian, such as a teacher with a child at the school; their name is kept.",
        optional=True,
    )
    first_name: str | None = optional("First name of a new person.")
    last_name: str | None = optional("Last name of a new person.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional(_PHONE)
    address: str | None = optional(_ADDRESS, multiline=True)


@strawberry.input(description="Changes to a guardian.")
class UpdateGuardianInput(UpdateInput):
    id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")
    first_name: str | None = optional("First name.")
    last_name: str | None = optional("Last name.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional(_PHONE)
    address: str | None = optional(_ADDRESS, multiline=True)


@strawberry.input(description="The guardian.")
class DeactivateGuardianInput(UpdateInput):
    id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")


@strawberry.input(description="The guardian.")
class ReactivateGuardianInput(UpdateInput):
    id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")


@strawberry.input(description="A link between a guardian and a student.")
class LinkGuardianInput(CreateInput):
    guardian_id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    relationship: Relationship = required("The relationship.")
    is_primary: bool | None = optional("Whether this becomes the student's primary guardian, in place of the previous one.")


@strawberry.input(description="The link between a guardian and a student to remove.")
class UnlinkGuardianInput(MutationInput):
    guardian_id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")
    student_id: strawberry.ID = node_id(students.Student, "The student.")


@strawberry.input(description="An account. Those of teachers, students and guardians are created with their records.")
class CreateUserInput(CreateInput):
    role: Role = required("The role.")
    first_name: str = required("First name.")
    last_name: str = required("Last name.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional(_PHONE)
    address: str | None = optional(_ADDRESS, multiline=True)


@strawberry.input(description="Changes to an account.")
class UpdateUserInput(UpdateInput):
    id: strawberry.ID = node_id(users.User, "The user.")
    role: Role | None = optional("The role; it applies from the next request.")
    first_name: str | None = optional("First name.")
    last_name: str | None = optional("Last name.")
    email: str | None = optional(EMAIL)
    phone: str | None = optional(_PHONE)
    address: str | None = optional(_ADDRESS, multiline=True)


@strawberry.input(description="The user.")
class DeactivateUserInput(UpdateInput):
    id: strawberry.ID = node_id(users.User, "The user.")


@strawberry.input(description="The user.")
class ReactivateUserInput(UpdateInput):
    id: strawberry.ID = node_id(users.User, "The user.")


@strawberry.input(description="Your own contact details.")
class UpdateOwnContactInput(MutationInput):
    phone: str | None = optional("Your telephone number.")
    address: str | None = optional("Your postal address.", multiline=True)


_ADMIN = Capability.MANAGE_SCHOOL


@mutation_fields
class PeopleMutations:
    create_teacher = mutation(
        _ADMIN, CreateTeacherInput, create_teacher, description="Creates a teacher, with an account.", teacher=_TEACHER
    )
    update_teacher = mutation(_ADMIN, UpdateTeacherInput, update_teacher, description="Updates a teacher.", teacher=_TEACHER)
    deactivate_teacher = mutation(
        _ADMIN,
        DeactivateTeacherInput,
        deactivate_teacher,
        revokes_access=True,
        description="Deactivates a teacher whose classes and lessons have been assigned to others. The account can no longer sign in.",
        teacher=_TEACHER,
    )
    reactivate_teacher = mutation(
        _ADMIN,
        ReactivateTeacherInput,
        reactivate_teacher,
        revokes_access=True,
        description="Reactivates a teacher.",
        teacher=_TEACHER,
    )
    create_guardian = mutation(
        _ADMIN, CreateGuardianInput, create_guardian, description="Creates a guardian, with an account.", guardian=_GUARDIAN
    )
    update_guardian = mutation(_ADMIN, UpdateGuardianInput, update_guardian, description="Updates a guardian.", guardian=_GUARDIAN)
    deactivate_guardian = mutation(
        _ADMIN,
        DeactivateGuardianInput,
        deactivate_guardian,
        revokes_access=True,
        description="Deactivates a guardian. The account can no longer sign in; the links to students stay.",
        guardian=_GUARDIAN,
    )
    reactivate_guardian = mutation(
        _ADMIN,
        ReactivateGuardianInput,
        reactivate_guardian,
        revokes_access=True,
        description="Reactivates a guardian.",
        guardian=_GUARDIAN,
    )
    link_guardian = mutation(
        _ADMIN,
        LinkGuardianInput,
        link_guardian,
        description="Links a guardian to a student, or updates their link.",
        guardianship=payload_node(guardians.guardianship_by_id, "The link as it is now."),
        guardian=_GUARDIAN,
        student=_STUDENT,
    )
    unlink_guardian = mutation(
        _ADMIN,
        UnlinkGuardianInput,
        unlink_guardian,
        description="Removes the link between a guardian and a student: from the next request on the guardian sees nothing of the student.",
        guardian=_GUARDIAN,
        student=_STUDENT,
    )
    create_user = mutation(
        _ADMIN,
        CreateUserInput,
        create_user,
        description="Creates an account without a password. Its owner sets one with the token from `issuePasswordReset`.",
        user=_USER,
    )
    update_user = mutation(
        _ADMIN,
        UpdateUserInput,
        update_user,
        revokes_access=True,
        description="Updates an account. A changed role applies at once.",
        user=_USER,
    )
    deactivate_user = mutation(
        _ADMIN,
        DeactivateUserInput,
        deactivate_user,
        revokes_access=True,
        description="Deactivates an account and ends its sessions at once.",
        user=_USER,
    )
    reactivate_user = mutation(
        _ADMIN, ReactivateUserInput, reactivate_user, revokes_access=True, description="Reactivates an account.", user=_USER
    )
    update_own_contact = mutation(
        Capability.OWN_ACCOUNT, UpdateOwnContactInput, update_own_contact, description="Updates your own contact details.", user=_USER
    )
