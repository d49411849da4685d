"""Subjects."""

from datetime import datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import subjects
from schema.connections import connection, root_connection
from schema.listings.assessments import ASSESSMENTS
from schema.listings.classes import CLASS_SUBJECTS
from schema.listings.subjects import SUBJECTS
from schema.listings.teachers import TEACHERS
from schema.nodes import Node, node, root_node
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.roots import query_fields

__all__ = ["Subject", "SubjectQueries"]


@node(subjects.Subject, subjects.subject_by_id)
@strawberry.type(description="A subject that is taught.")
class Subject(Node):
    code: str = strawberry.field(description="A short code, unique in the school.")
    name: str = strawberry.field(description="The name.")
    description: str | None = strawberry.field(description="The description.")
    credits: Decimal = strawberry.field(description="The credits in a grade point average; with 0 it does not count.")
    is_active: bool = strawberry.field(description="Whether it is currently taught.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    teachers = connection(TEACHERS, "subject", description="The teachers who can teach it, by name.")
    class_subjects = connection(CLASS_SUBJECTS, "subject", description="The lessons: in which classes it is taught, and by whom.")
    assessments = connection(ASSESSMENTS, "subject", description="The assessments, as far as you may see them, latest first.")


@query_fields
class SubjectQueries:
    subject = root_node(Subject, description="The subject with this id.")
    subjects = root_connection(SUBJECTS, Capability.SIGNED_IN, description="The subjects, by name.")
