"""Assessments and their types."""

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
from schema.references import to_one

__all__ = ["Assessment", "AssessmentQueries", "AssessmentType"]


@node(subjects.AssessmentType, subjects.assessment_type_by_id)
@strawberry.type(description="A type of assessment, such as a test or an essay.")
class AssessmentType(Node):
    code: str = strawberry.field(description="A short code, unique in the school.")
    name: str = strawberry.field(description="The name.")
    weight: Decimal = strawberry.field(description="How much it weighs in an average, against the other types.")
    is_active: bool = strawberry.field(description="Whether it is used now.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")


@node(grades.Assessment, grades.assessment_by_id)
@strawberry.type(description="What a class is marked on in a subject: a test, an essay.")
class Assessment(Node):
    title: str = strawberry.field(description="What it is about.")
    assessment_date: date = strawberry.field(description="The day it is held or due.")
    max_score: Decimal = strawberry.field(description="The highest score.")
    extra_credit: Decimal = strawberry.field(description="How many points above the maximum may be given.")
    weight: Decimal = strawberry.field(description="How much it weighs among those of its type.")
    is_published: bool = computed(
        lambda row: row["published_at"] is not None, description="Whether students and guardians see it and its grades."
    )
    published_at: datetime | None = strawberry.field(description="Since when students and guardians see it; null: not yet.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject.")
    assessment_type = to_one(subjects.assessment_type_by_id, "assessment_type_id", description="The type.")
    semester = to_one(academic_years.semester_by_id, "semester_id", description="The semester it counts for.")
    created_by = to_one(users.user_by_id, "created_by", description="Who made it.")
    grades = connection(GRADES, "assessment", description="The grades in it that you may see.")


@strawberry.type
class AssessmentQueries:
    assessment = root_node(Assessment, description="The assessment with this id.")
    assessment_type = root_node(AssessmentType, description="The type of assessment with this id.")
    assessments = root_connection(ASSESSMENTS, Capability.SIGNED_IN, description="The assessments you may see, latest first.")
    assessment_types = root_connection(ASSESSMENT_TYPES, Capability.SIGNED_IN, description="The types of assessment, by name.")
