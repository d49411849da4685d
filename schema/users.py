"""Users: accounts, and the names of everyone."""

from datetime import datetime

import strawberry

from auth.capabilities import Capability
from execution.fields import computed, guarded
from resolvers import guardians, students, teachers, users
from schema.connections import connection, root_connection
from schema.listings.sessions import SESSIONS
from schema.listings.users import USERS, Role
from schema.nodes import Node, node
from schema.people import NAME, Contact, forbidden_field, full_name
from schema.references import to_one

__all__ = ["User", "UserQueries"]


@node(users.User, users.user_by_id)
@strawberry.type(description="A person with a name, who may have an account.")
class User(Node):
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    name: str = computed(full_name, columns=NAME, written="words", description="First and last name.")
    alt_id: int | None = guarded(
        "alt_id", "private_visible", forbidden_field, description="A number that never changes, for systems that want numbers."
    )
    contact: Contact | None = guarded(None, "private_visible", forbidden_field, description="How the person can be reached.")
    role: Role | None = guarded("role", "private_visible", forbidden_field, description="What the user may do.")
    is_active: bool | None = guarded("is_active", "private_visible", forbidden_field, description="Whether the user may sign in.")
    last_sign_in_at: datetime | None = guarded(
        "last_sign_in_at", "private_visible", forbidden_field, description="When the user last signed in."
    )
    created_at: datetime | None = guarded("created_at", "private_visible", forbidden_field, description="When the record was made.")
    updated_at: datetime | None = guarded("updated_at", "private_visible", forbidden_field, description="When the record last changed.")
    version: int | None = guarded(
        "version",
        "private_visible",
        forbidden_field,
        description="Counts the changes of the record; an update names the one it was made from.",
    )
    sessions = connection(
        SESSIONS,
        "user",
        allowed="private_visible",
        refuse=forbidden_field,
        description="The user's sign-ins, newest first, those that have ended too.",
    )
    student = to_one(students.student_by_user, "id", description="The student this user is.")
    teacher = to_one(teachers.teacher_by_user, "id", description="The teacher this user is.")
    guardian = to_one(guardians.guardian_by_user, "id", description="The guardian this user is.")


@strawberry.type
class UserQueries:
    users = root_connection(USERS, Capability.SIGNED_IN, description="The users you may see, by name.")
