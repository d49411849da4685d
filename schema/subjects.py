"""What is taught."""

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

__all__ = ["Subject", "SubjectQueries"]


@node(subjects.Subject, subjects.subject_by_id)
@strawberry.type(description="A subject that is taught.")
class Subject(Node):
    code: str = strawberry.field(description="A short code, unique in the school.")
    name: str = strawberry.field(description="The name.")
    description: str | None = strawberry.field(description="What it is about.")
    credits: Decimal = strawberry.field(description="How much it weighs in a grade point average; 0 leaves it out.")
    is_active: bool = strawberry.field(description="Whether it is taught now.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    teachers = connection(TEACHERS, "subject", description="Who can teach it, by name.")
    class_subjects = connection(CLASS_SUBJECTS, "subject", description="Where it is taught, and by whom.")
    assessments = connection(ASSESSMENTS, "subject", description="Its assessments that you may see, latest first.")


@strawberry.type
class SubjectQueries:
    subject = root_node(Subject, description="The subject with this id.")
    subjects = root_connection(SUBJECTS, Capability.SIGNED_IN, description="The subjects, by name.")
