"""Lists of subjects, assessment types and fee categories."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.subjects import AssessmentType, FeeCategory, Subject
from schema.connections import Listing, optional, order_input

__all__ = ["ASSESSMENT_TYPES", "FEE_CATEGORIES", "SUBJECTS"]


@strawberry.enum(description="The fields by which subjects, assessment types and fee categories can be sorted.")
class CatalogueOrderField(Enum):
    NAME = strawberry.enum_value("name", description="The name, ignoring case.")
    CODE = strawberry.enum_value("code", description="The code.")


CatalogueOrder = order_input("Catalogue", CatalogueOrderField)


@strawberry.input(description="Conditions for subjects.")
class SubjectFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is currently taught.")
    name_prefix: str | None = optional("The name begins with this text; case, accents and punctuation are ignored.")


SUBJECTS = Listing(queries.subjects, Subject, CatalogueOrder, CatalogueOrderField.NAME, SubjectFilter)


@strawberry.input(description="Conditions for types of assessment.")
class AssessmentTypeFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is in use.")
    name_prefix: str | None = optional("The name begins with this text; case, accents and punctuation are ignored.")


ASSESSMENT_TYPES = Listing(queries.assessment_types, AssessmentType, CatalogueOrder, CatalogueOrderField.NAME, AssessmentTypeFilter)


@strawberry.input(description="Conditions for fee categories.")
class FeeCategoryFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is in use.")


FEE_CATEGORIES = Listing(queries.fee_categories, FeeCategory, CatalogueOrder, CatalogueOrderField.NAME, FeeCategoryFilter)
