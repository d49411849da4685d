"""Assessments and assessment types."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from execution.fields import computed
from resolvers import academic_years, classes, grades, subjects, users
from schema.connections import connection, root_connection
from schema.listings.assessments import ASSESSMENTS, GRADES
from schema.listings.subjects import ASSESSMENT_TYPES
from schema.nodes import Node, node, root_node
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Assessment", "AssessmentQueries", "AssessmentType"]


@node(subjects.AssessmentType, subjects.assessment_type_by_id)
@strawberry.type(description="A type of assessment, such as a test or an essay.")
class AssessmentType(Node):
    code: str = strawberry.field(description="A short code, unique in the school.")
    name: str = strawberry.field(description="The name.")
    weight: Decimal = strawberry.field(description="The weight in an average, relative to the other types.")
    is_active: bool = strawberry.field(description="Whether it is in use.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()


@node(grades.Assessment, grades.assessment_by_id)
@strawberry.type(description="Something that a class is graded on in a subject, such as a test or an essay.")
class Assessment(Node):
    title: str = strawberry.field(description="The description.")
    assessment_date: date = strawberry.field(description="The date on which it takes place or is due.")
    max_score: Decimal = strawberry.field(description="The maximum score.")
    extra_credit: Decimal = strawberry.field(description="The points by which a score may exceed the maximum.")
    weight: Decimal = strawberry.field(description="The weight among assessments of its type.")
    is_published: bool = computed(
        lambda row: row["published_at"] is not None, description="Whether it and its grades are visible to students and guardians."
    )
    published_at: datetime | None = strawberry.field(
        description="When it was published to students and guardians; null if it is not published."
    )
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    assessment_type = to_one(subjects.assessment_type_by_id, "assessment_type_id", description="The type.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester it counts for.")
    created_by = to_one(users.user_by_id, "created_by", description="Who created it.")
    grades = connection(GRADES, "assessment", description="Its grades, as far as you may see them.")


@query_fields
class AssessmentQueries:
    assessment = root_node(Assessment, description="The assessment with this id.")
    assessment_type = root_node(AssessmentType, description="The type of assessment with this id.")
    assessments = root_connection(ASSESSMENTS, Capability.SIGNED_IN, description="The assessments you may see, latest first.")
    assessment_types = root_connection(ASSESSMENT_TYPES, Capability.SIGNED_IN, description="The types of assessment, by name.")
