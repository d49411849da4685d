"""Mutations of subjects, assessment types and fee categories, for administrators."""

from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import subjects
from resolvers.writing.crud import create_action, update_action
from schema.inputs import CreateInput, UpdateInput, node_id, optional, required
from schema.mutations import mutation, payload_node
from schema.roots import mutation_fields

__all__ = ["CatalogueMutations"]

_CODE = "A short code, unique in the school: capitals, digits and dashes."
_SUBJECT = payload_node(subjects.subject_by_id, "The subject as it is now.")
_TYPE = payload_node(subjects.assessment_type_by_id, "The type of assessment as it is now.")
_CATEGORY = payload_node(subjects.fee_category_by_id, "The fee category as it is now.")


@strawberry.input(description="A subject.")
class CreateSubjectInput(CreateInput):
    code: str = required(_CODE)
    name: str = required("The name.")
    description: str | None = optional("The description.", multiline=True)
    credits: Decimal | None = optional("The credits in a grade point average. Defaults to 1; with 0 the subject does not count.")


@strawberry.input(description="Changes to a subject.")
class UpdateSubjectInput(UpdateInput):
    id: strawberry.ID = node_id(subjects.Subject, "The subject.")
    code: str | None = optional(_CODE)
    name: str | None = optional("The name.")
    description: str | None = optional("The description.", multiline=True)
    credits: Decimal | None = optional("The credits in a grade point average.")
    is_active: bool | None = optional("Whether it is currently taught.")


@strawberry.input(description="A type of assessment.")
class CreateAssessmentTypeInput(CreateInput):
    code: str = required(_CODE)
    name: str = required("The name.")
    weight: Decimal | None = optional("The weight in an average, relative to the other types. Defaults to 1.")


@strawberry.input(description="Changes to a type of assessment.")
class UpdateAssessmentTypeInput(UpdateInput):
    id: strawberry.ID = node_id(subjects.AssessmentType, "The type of assessment.")
    code: str | None = optional(_CODE)
    name: str | None = optional("The name.")
    weight: Decimal | None = optional("The weight in an average, relative to the other types.")
    is_active: bool | None = optional("Whether it is in use.")


@strawberry.input(description="A fee category.")
class CreateFeeCategoryInput(CreateInput):
    code: str = required(_CODE)
    name: str = required("The name.")
    description: str | None = optional("The description.", multiline=True)
    default_amount: Decimal | None = optional("The default amount.")
    currency: str = required("ISO 4217 code of the currency.")


@strawberry.input(description="Changes to a fee category. Existing charges keep their amounts.")
class UpdateFeeCategoryInput(UpdateInput):
    id: strawberry.ID = node_id(subjects.FeeCategory, "The fee category.")
    code: str | None = optional(_CODE)
    name: str | None = optional("The name.")
    description: str | None = optional("The description.", multiline=True)
    default_amount: Decimal | None = optional("The default amount.")
    currency: str | None = optional("ISO 4217 code of the currency.")
    is_active: bool | None = optional("Whether it is in use.")


@mutation_fields
class CatalogueMutations:
    create_subject = mutation(
        Capability.MANAGE_SCHOOL,
        CreateSubjectInput,
        create_action("subjects", "subject"),
        description="Creates a subject.",
        subject=_SUBJECT,
    )
    update_subject = mutation(
        Capability.MANAGE_SCHOOL,
        UpdateSubjectInput,
        update_action("subjects", "subject"),
        description="Updates a subject.",
        subject=_SUBJECT,
    )
    create_assessment_type = mutation(
        Capability.MANAGE_SCHOOL,
        CreateAssessmentTypeInput,
        create_action("assessment_types", "assessment_type"),
        description="Creates a type of assessment.",
        assessment_type=_TYPE,
    )
    update_assessment_type = mutation(
        Capability.MANAGE_SCHOOL,
        UpdateAssessmentTypeInput,
        update_action("assessment_types", "assessment_type"),
        description="Updates a type of assessment. Averages follow; posted final grades do not change.",
        assessment_type=_TYPE,
    )
    create_fee_category = mutation(
        Capability.MANAGE_SCHOOL,
        CreateFeeCategoryInput,
        create_action("fee_categories", "fee_category"),
        description="Creates a fee category.",
        fee_category=_CATEGORY,
    )
    update_fee_category = mutation(
        Capability.MANAGE_SCHOOL,
        UpdateFeeCategoryInput,
        update_action("fee_categories", "fee_category"),
        description="Updates a fee category.",
        fee_category=_CATEGORY,
    )
