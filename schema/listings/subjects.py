"""Lists of subjects, assessment types and fee categories."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.subjects import AssessmentType, FeeCategory, Subject
from schema.connections import Listing, optional, order_input

__all__ = ["ASSESSMENT_TYPES", "FEE_CATEGORIES", "SUBJECTS"]

_NAME = "The name, ignoring case."
_CODE = "The code."


@strawberry.enum(description="The fields by which subjects can be sorted.")
class SubjectOrderField(Enum):
    NAME = strawberry.enum_value("name", description=_NAME)
    CODE = strawberry.enum_value("code", description=_CODE)


@strawberry.enum(description="The fields by which types of assessment can be sorted.")
class AssessmentTypeOrderField(Enum):
    NAME = strawberry.enum_value("name", description=_NAME)
    CODE = strawberry.enum_value("code", description=_CODE)


@strawberry.enum(description="The fields by which fee categories can be sorted.")
class FeeCategoryOrderField(Enum):
    NAME = strawberry.enum_value("name", description=_NAME)
    CODE = strawberry.enum_value("code", description=_CODE)


@strawberry.input(description="Conditions for subjects.")
class SubjectFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is currently taught.")
    name_prefix: str | None = optional("The name begins with this text; case, accents and punctuation are ignored.")


SUBJECTS = Listing(queries.subjects, Subject, order_input("Subject", SubjectOrderField), SubjectOrderField.NAME, SubjectFilter)


@strawberry.input(description="Conditions for types of assessment.")
class AssessmentTypeFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is in use.")
    name_prefix: str | None = optional("The name begins with this text; case, accents and punctuation are ignored.")


ASSESSMENT_TYPES = Listing(
    queries.assessment_types,
    AssessmentType,
    order_input("AssessmentType", AssessmentTypeOrderField),
    AssessmentTypeOrderField.NAME,
    AssessmentTypeFilter,
)


@strawberry.input(description="Conditions for fee categories.")
class FeeCategoryFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is in use.")


FEE_CATEGORIES = Listing(
    queries.fee_categories, FeeCategory, order_input("FeeCategory", FeeCategoryOrderField), FeeCategoryOrderField.NAME, FeeCategoryFilter
)
