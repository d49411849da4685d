"""The viewer: the user of the access token."""

from typing import Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.fields import ASKS_NO_LOADER
from resolvers import guardians, sessions, students, teachers, users
from schema.listings.users import Role
from schema.references import to_one
from schema.roots import query_fields, root

__all__ = ["Viewer", "ViewerQueries"]


@strawberry.type(description="You.")
class Viewer:
    role: Role = strawberry.field(description="Your role.")
    user = to_one(users.user_by_id, "user_id", description="Your account.")
    session = to_one(sessions.session_by_id, "session_id", description="The session of your access token.")
    student = to_one(students.student_by_user, "user_id", description="Your student record.")
    teacher = to_one(teachers.teacher_by_user, "user_id", description="Your teacher record.")
    guardian = to_one(guardians.guardian_by_user, "user_id", description="Your guardian record, with your children as its students.")


@query_fields
class ViewerQueries:
    @root(Capability.PUBLIC, metadata={ASKS_NO_LOADER: True}, description="The signed-in user; null without a user's access token.")
    async def viewer(self, info: Info) -> Viewer | None:
        viewer: Any = info.context.viewer
        return None if viewer.user_id is None else viewer  # type: ignore[no-any-return]  # the viewer has the type's attributes
