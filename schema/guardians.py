"""Guardians and their links to students."""

from datetime import datetime
from enum import Enum

import strawberry

from auth.capabilities import Capability
from execution.fields import computed
from resolvers import guardians, students, users
from schema.connections import connection, root_connection
from schema.listings.guardians import GUARDIANS, GUARDIANSHIPS
from schema.listings.students import STUDENTS
from schema.nodes import Node, node, root_node
from schema.people import NAME, Contact, full_name
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Guardian", "GuardianQueries", "Guardianship"]


@strawberry.enum(description="How a guardian is related to a student.")
class Relationship(Enum):
    MOTHER = strawberry.enum_value("MOTHER", description="Mother.")
    FATHER = strawberry.enum_value("FATHER", description="Father.")
    GRANDPARENT = strawberry.enum_value("GRANDPARENT", description="Grandmother or grandfather.")
    FOSTER_PARENT = strawberry.enum_value("FOSTER_PARENT", description="Foster parent.")
    LEGAL_GUARDIAN = strawberry.enum_value("LEGAL_GUARDIAN", description="Legal guardian, appointed by a court or authority.")
    OTHER = strawberry.enum_value("OTHER", description="Another adult who is responsible for the student.")


@node(guardians.Guardian, guardians.guardian_by_id)
@strawberry.type(description="An adult who is responsible for one or more students.")
class Guardian(Node):
    first_name: str = strawberry.field(description="First name.")
    last_name: str = strawberry.field(description="Last name.")
    name: str = computed(full_name, columns=NAME, json_kind="words", description="First and last name.")
    contact: Contact = computed(lambda row: row, description="The guardian's contact details.")
    is_active: bool = strawberry.field(description="Whether the guardian is active.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    user = to_one(users.user_by_id, "user_id", description="The guardian's account.")
    students = connection(STUDENTS, "guardian", description="The guardian's students, by name.")
    guardianships = connection(GUARDIANSHIPS, "guardian", description="The guardian's links to students.")


@node(guardians.Guardianship, guardians.guardianship_by_id)
@strawberry.type(description="The link between a guardian and a student.")
class Guardianship(Node):
    relationship: Relationship = strawberry.field(description="The relationship.")
    is_primary: bool = strawberry.field(description="Whether this is the student's primary guardian.")
    created_at: datetime = strawberry.field(description="When it was recorded.")
    guardian = to_one(guardians.guardian_by_id, "guardian_id", description="The guardian.")
    student = to_one(students.student_by_id, "student_id", description="The student.")


@query_fields
class GuardianQueries:
    guardian = root_node(Guardian, description="The guardian with this id.")
    guardians = root_connection(GUARDIANS, Capability.SIGNED_IN, description="The guardians you may see, by name.")
