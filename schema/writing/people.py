"""Guardians, teachers and users, written by administrators."""

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
from schema.inputs import CreateInput, MutationInput, UpdateInput, may, must, node_id
from schema.listings.users import Role
from schema.mutations import mutation, payload_node

__all__ = ["EMAIL", "PeopleMutations"]

EMAIL = "E-mail address; also the name they sign in with."
_PHONE = "Telephone number."
_ADDRESS = "Postal address."
_TEACHER = payload_node(teachers.teacher_by_id, "The teacher as they are now.")
_GUARDIAN = payload_node(guardians.guardian_by_id, "The guardian as they are now.")
_STUDENT = payload_node(students.student_by_id, "The student as they are now.")
_USER = payload_node(users.user_by_id, "The user as they are now.")


@strawberry.input(description="A teacher: a new person, or a user who is there already.")
class CreateTeacherInput(CreateInput):
    user_id: strawberry.ID | None = node_id(users.User, "A user who becomes a teacher; their name stays.", optional=True)
    first_name: str | None = may("First name of a new person.")
    last_name: str | None = may("Last name of a new person.")
    email: str | None = may(EMAIL)
    phone: str | None = may(_PHONE)
    address: str | None = may(_ADDRESS, multiline=True)
    employee_number: str = must("The number that the school gives, unique in the school.")
    specialization: str | None = may("What they have studied.")
    joining_date: date = must("The day they join the school.")


@strawberry.input(description="What to change of a teacher.")
class UpdateTeacherInput(UpdateInput):
    id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")
    first_name: str | None = may("First name.")
    last_name: str | None = may("Last name.")
    email: str | None = may(EMAIL)
    phone: str | None = may(_PHONE)
    address: str | None = may(_ADDRESS, multiline=True)
    employee_number: str | None = may("The number that the school gives.")
    specialization: str | None = may("What they have studied.")
    joining_date: date | None = may("The day they joined the school.")


@strawberry.input(description="Which teacher.")
class DeactivateTeacherInput(UpdateInput):
    id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")


@strawberry.input(description="Which teacher.")
class ReactivateTeacherInput(UpdateInput):
    id: strawberry.ID = node_id(teachers.Teacher, "The teacher.")


@strawberry.input(description="A guardian: a new person, or a user who is there already.")
class CreateGuardianInput(CreateInput):
    user_id: strawberry.ID | None = node_id(
        users.User, "A user who becomes a guardian, a teacher with a child here say; their name stays.", optional=True
    )
    first_name: str | None = may("First name of a new person.")
    last_name: str | None = may("Last name of a new person.")
    email: str | None = may(EMAIL)
    phone: str | None = may(_PHONE)
    address: str | None = may(_ADDRESS, multiline=True)


@strawberry.input(description="What to change of a guardian.")
class UpdateGuardianInput(UpdateInput):
    id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")
    first_name: str | None = may("First name.")
    last_name: str | None = may("Last name.")
    email: str | None = may(EMAIL)
    phone: str | None = may(_PHONE)
    address: str | None = may(_ADDRESS, multiline=True)


@strawberry.input(description="Which guardian.")
class DeactivateGuardianInput(UpdateInput):
    id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")


@strawberry.input(description="Which guardian.")
class ReactivateGuardianInput(UpdateInput):
    id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")


@strawberry.input(description="Whose guardian somebody is.")
class LinkGuardianInput(CreateInput):
    guardian_id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    relationship: Relationship = must("How they are related.")
    is_primary: bool | None = may("Whether the school turns to this guardian first; the one it was is then no longer.")


@strawberry.input(description="Whose guardian somebody is no more.")
class UnlinkGuardianInput(MutationInput):
    guardian_id: strawberry.ID = node_id(guardians.Guardian, "The guardian.")
    student_id: strawberry.ID = node_id(students.Student, "The student.")


@strawberry.input(description="An account. Teachers, students and guardians get theirs with their records.")
class CreateUserInput(CreateInput):
    role: Role = must("What they may do.")
    first_name: str = must("First name.")
    last_name: str = must("Last name.")
    email: str | None = may(EMAIL)
    phone: str | None = may(_PHONE)
    address: str | None = may(_ADDRESS, multiline=True)


@strawberry.input(description="What to change of an account.")
class UpdateUserInput(UpdateInput):
    id: strawberry.ID = node_id(users.User, "The user.")
    role: Role | None = may("What they may do; it counts from the next request.")
    first_name: str | None = may("First name.")
    last_name: str | None = may("Last name.")
    email: str | None = may(EMAIL)
    phone: str | None = may(_PHONE)
    address: str | None = may(_ADDRESS, multiline=True)


@strawberry.input(description="Which user.")
class DeactivateUserInput(UpdateInput):
    id: strawberry.ID = node_id(users.User, "The user.")


@strawberry.input(description="Which user.")
class ReactivateUserInput(UpdateInput):
    id: strawberry.ID = node_id(users.User, "The user.")


@strawberry.input(description="Your own contact.")
class UpdateOwnContactInput(MutationInput):
    phone: str | None = may("Your telephone number.")
    address: str | None = may("Your postal address.", multiline=True)


_ADMIN = Capability.MANAGE_SCHOOL


@strawberry.type
class PeopleMutations:
    create_teacher = mutation(_ADMIN, CreateTeacherInput, create_teacher, description="Makes a teacher, with an account.", teacher=_TEACHER)
    update_teacher = mutation(_ADMIN, UpdateTeacherInput, update_teacher, description="Changes a teacher.", teacher=_TEACHER)
    deactivate_teacher = mutation(
        _ADMIN,
        DeactivateTeacherInput,
        deactivate_teacher,
        revokes_access=True,
        description="Lets a teacher go whose classes and lessons have been given to others. The account signs in no more.",
        teacher=_TEACHER,
    )
    reactivate_teacher = mutation(
        _ADMIN,
        ReactivateTeacherInput,
        reactivate_teacher,
        revokes_access=True,
        description="Takes a teacher back.",
        teacher=_TEACHER,
    )
    create_guardian = mutation(
        _ADMIN, CreateGuardianInput, create_guardian, description="Makes a guardian, with an account.", guardian=_GUARDIAN
    )
    update_guardian = mutation(_ADMIN, UpdateGuardianInput, update_guardian, description="Changes a guardian.", guardian=_GUARDIAN)
    deactivate_guardian = mutation(
        _ADMIN,
        DeactivateGuardianInput,
        deactivate_guardian,
        revokes_access=True,
        description="Somebody is no guardian any more. The account signs in no more; the links stay.",
        guardian=_GUARDIAN,
    )
    reactivate_guardian = mutation(
        _ADMIN,
        ReactivateGuardianInput,
        reactivate_guardian,
        revokes_access=True,
        description="Somebody is a guardian again.",
        guardian=_GUARDIAN,
    )
    link_guardian = mutation(
        _ADMIN,
        LinkGuardianInput,
        link_guardian,
        description="Links a guardian to a student, or changes how they are related.",
        guardianship=payload_node(guardians.guardianship_by_id, "The link as it is now."),
        guardian=_GUARDIAN,
        student=_STUDENT,
    )
    unlink_guardian = mutation(
        _ADMIN,
        UnlinkGuardianInput,
        unlink_guardian,
        description="Takes a link back: the guardian sees nothing of the student from the next request on.",
        guardian=_GUARDIAN,
        student=_STUDENT,
    )
    create_user = mutation(
        _ADMIN,
        CreateUserInput,
        create_user,
        description="Makes an account without a password; `issuePasswordReset` gives its owner the way to one.",
        user=_USER,
    )
    update_user = mutation(
        _ADMIN,
        UpdateUserInput,
        update_user,
        revokes_access=True,
        description="Changes an account; a role counts at once.",
        user=_USER,
    )
    deactivate_user = mutation(
        _ADMIN,
        DeactivateUserInput,
        deactivate_user,
        revokes_access=True,
        description="Ends what an account may do, at once.",
        user=_USER,
    )
    reactivate_user = mutation(
        _ADMIN, ReactivateUserInput, reactivate_user, revokes_access=True, description="Lets an account sign in again.", user=_USER
    )
    update_own_contact = mutation(
        Capability.OWN_ACCOUNT, UpdateOwnContactInput, update_own_contact, description="Changes your own contact.", user=_USER
    )
