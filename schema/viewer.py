"""The viewer: who the token says is asking."""

from typing import Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.fields import ASKS_NO_LOADER
from resolvers import guardians, sessions, students, teachers, users
from schema.listings.users import Role
from schema.references import to_one
from schema.roots import root

__all__ = ["Viewer", "ViewerQueries"]


@strawberry.type(description="You.")
class Viewer:
    role: Role = strawberry.field(description="What you may do.")
    user = to_one(users.user_by_id, "user_id", description="Your account.")
    session = to_one(sessions.session_by_id, "session_id", description="The session that your token is of.")
    student = to_one(students.student_by_user, "user_id", description="The student you are.")
    teacher = to_one(teachers.teacher_by_user, "user_id", description="The teacher you are.")
    guardian = to_one(guardians.guardian_by_user, "user_id", description="The guardian you are; your children are its students.")


@strawberry.type
class ViewerQueries:
    @root(Capability.PUBLIC, metadata={ASKS_NO_LOADER: True}, description="You; null without a user's access token.")
    async def viewer(self, info: Info) -> Viewer | None:
        viewer: Any = info.context.viewer
        return None if viewer.user_id is None else viewer  # type: ignore[no-any-return]  # the viewer has the type's attributes
