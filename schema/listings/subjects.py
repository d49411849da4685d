"""How subjects, assessment types and fee categories are listed."""

from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.subjects import AssessmentType, FeeCategory, Subject
from schema.connections import Listing, optional, order_input

__all__ = ["ASSESSMENT_TYPES", "FEE_CATEGORIES", "SUBJECTS"]


@strawberry.enum(description="What subjects, assessment types and fee categories may be sorted by.")
class CatalogueOrderField(Enum):
    NAME = strawberry.enum_value("name", description="The name, no matter the case.")
    CODE = strawberry.enum_value("code", description="The code.")


CatalogueOrder = order_input("Catalogue", CatalogueOrderField)


@strawberry.input(description="Which subjects.")
class SubjectFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is taught now.")
    name_prefix: str | None = optional("The name begins so, no matter the case.")


SUBJECTS = Listing(queries.subjects, Subject, CatalogueOrder, CatalogueOrderField.NAME, SubjectFilter)


@strawberry.input(description="Which types of assessment.")
class AssessmentTypeFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is used now.")
    name_prefix: str | None = optional("The name begins so, no matter the case.")


ASSESSMENT_TYPES = Listing(queries.assessment_types, AssessmentType, CatalogueOrder, CatalogueOrderField.NAME, AssessmentTypeFilter)


@strawberry.input(description="Which fee categories.")
class FeeCategoryFilter:
    codes: list[str] | None = optional("With one of these codes.")
    is_active: bool | None = optional("Whether it is used now.")


FEE_CATEGORIES = Listing(queries.fee_categories, FeeCategory, CatalogueOrder, CatalogueOrderField.NAME, FeeCategoryFilter)
