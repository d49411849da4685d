"""Teachers."""

from datetime import date, datetime

import strawberry

from auth.capabilities import Capability
from execution.fields import computed, guarded
from resolvers import teachers, users
from schema.connections import connection, root_connection
from schema.listings.classes import CLASS_SUBJECTS, CLASSES
from schema.listings.subjects import SUBJECTS
from schema.listings.teachers import TEACHERS
from schema.nodes import Node, node, root_node
from schema.people import NAME, Contact, forbidden_field, full_name
from schema.references import to_one

__all__ = ["Teacher", "TeacherQueries"]


@node(teachers.Teacher, teachers.teacher_by_id)
@strawberry.type(description="A teacher of the school.")
class Teacher(Node):
    alt_id: int = strawberry.field(description="A number that never changes, for systems that want numbers.")
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    name: str = computed(full_name, columns=NAME, written="words", description="First and last name.")
    specialization: str | None = strawberry.field(description="What the teacher is specialised in.")
    joining_date: date = strawberry.field(description="The day the teacher joined the school.")
    is_active: bool = strawberry.field(description="Whether the teacher works at the school now.")
    employee_number: str | None = guarded(
        "employee_number", "private_visible", forbidden_field, description="The school's number for the teacher."
    )
    contact: Contact | None = guarded(None, "private_visible", forbidden_field, description="How the teacher can be reached.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    user = to_one(users.user_by_id, "user_id", description="The teacher's account.")
    classes = connection(CLASSES, "teacher", description="The classes whose own teacher this is.")
    class_subjects = connection(CLASS_SUBJECTS, "teacher", description="What the teacher teaches, and where.")
    subjects = connection(SUBJECTS, "teacher", description="The subjects the teacher can teach.")


@strawberry.type
class TeacherQueries:
    teacher = root_node(Teacher, description="The teacher with this id.")
    teachers = root_connection(TEACHERS, Capability.SIGNED_IN, description="The teachers, by name.")
