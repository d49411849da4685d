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
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Teacher", "TeacherQueries"]


@node(teachers.Teacher, teachers.teacher_by_id)
@strawberry.type(description="A teacher of the school.")
class Teacher(Node):
    alt_id: int = strawberry.field(description="A number that never changes, for systems that need numeric ids.")
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    name: str = computed(full_name, columns=NAME, json_kind="words", description="First and last name.")
    specialization: str | None = strawberry.field(description="The teacher's specialization.")
    joining_date: date = strawberry.field(description="The date on which the teacher joined the school.")
    is_active: bool = strawberry.field(description="Whether the teacher currently works at the school.")
    employee_number: str | None = guarded("employee_number", "private_visible", forbidden_field, description="The employee number.")
    contact: Contact | None = guarded(None, "private_visible", forbidden_field, description="The teacher's contact details.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    user = to_one(users.user_by_id, "user_id", description="The teacher's account.")
    classes = connection(CLASSES, "teacher", description="The classes of which this is the homeroom teacher.")
    class_subjects = connection(CLASS_SUBJECTS, "teacher", description="The teacher's lessons: which subjects in which classes.")
    subjects = connection(SUBJECTS, "teacher", description="The subjects the teacher can teach.")


@query_fields
class TeacherQueries:
    teacher = root_node(Teacher, description="The teacher with this id.")
    teachers = root_connection(TEACHERS, Capability.SIGNED_IN, description="The teachers, by name.")
