"""Users: accounts, and the names of all people."""

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
from schema.roots import query_fields

__all__ = ["User", "UserQueries"]


@node(users.User, users.user_by_id)
@strawberry.type(description="A person with a name, who may have an account.")
class User(Node):
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    name: str = computed(full_name, columns=NAME, json_kind="words", description="First and last name.")
    alt_id: int | None = guarded(
        "alt_id", "private_visible", forbidden_field, description="A number that never changes, for systems that need numeric ids."
    )
    contact: Contact | None = guarded(None, "private_visible", forbidden_field, description="The person's contact details.")
    role: Role | None = guarded("role", "private_visible", forbidden_field, description="The user's role.")
    is_active: bool | None = guarded("is_active", "private_visible", forbidden_field, description="Whether the user may sign in.")
    last_sign_in_at: datetime | None = guarded(
        "last_sign_in_at", "private_visible", forbidden_field, description="When the user last signed in."
    )
    created_at: datetime | None = guarded("created_at", "private_visible", forbidden_field, description="When the record was created.")
    updated_at: datetime | None = guarded("updated_at", "private_visible", forbidden_field, description="When the record last changed.")
    version: int | None = guarded(
        "version",
        "private_visible",
        forbidden_field,
        description="The version of the record, which increases with every change. Send it with an update.",
    )
    sessions = connection(
        SESSIONS,
        "user",
        allowed="private_visible",
        refuse=forbidden_field,
        description="The user's sessions, newest first, including those that have ended.",
    )
    student = to_one(students.student_by_user, "id", description="The student record of this user.")
    teacher = to_one(teachers.teacher_by_user, "id", description="The teacher record of this user.")
    guardian = to_one(guardians.guardian_by_user, "id", description="The guardian record of this user.")


@query_fields
class UserQueries:
    users = root_connection(USERS, Capability.SIGNED_IN, description="The users you may see, by name.")
