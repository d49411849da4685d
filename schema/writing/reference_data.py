"""What is taught, assessed and charged for, written by administrators."""

from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import subjects
from resolvers.writing.crud import create_action, update_action
from schema.inputs import CreateInput, UpdateInput, may, must, node_id
from schema.mutations import mutation, payload_node

__all__ = ["CatalogueMutations"]

_CODE = "A short code, unique in the school: capitals, digits and dashes."
_SUBJECT = payload_node(subjects.subject_by_id, "The subject as it is now.")
_TYPE = payload_node(subjects.assessment_type_by_id, "The type of assessment as it is now.")
_CATEGORY = payload_node(subjects.fee_category_by_id, "The fee category as it is now.")


@strawberry.input(description="A subject to be taught.")
class CreateSubjectInput(CreateInput):
    code: str = must(_CODE)
    name: str = must("The name.")
    description: str | None = may("What it is about.", multiline=True)
    credits: Decimal | None = may("How much it weighs in a grade point average; 1 when left out, 0 leaves it out of the average.")


@strawberry.input(description="What to change of a subject.")
class UpdateSubjectInput(UpdateInput):
    id: strawberry.ID = node_id(subjects.Subject, "The subject.")
    code: str | None = may(_CODE)
    name: str | None = may("The name.")
    description: str | None = may("What it is about.", multiline=True)
    credits: Decimal | None = may("How much it weighs in a grade point average.")
    is_active: bool | None = may("Whether it is taught now.")


@strawberry.input(description="A type of assessment.")
class CreateAssessmentTypeInput(CreateInput):
    code: str = must(_CODE)
    name: str = must("The name.")
    weight: Decimal | None = may("How much it weighs in an average, against the other types; 1 when left out.")


@strawberry.input(description="What to change of a type of assessment.")
class UpdateAssessmentTypeInput(UpdateInput):
    id: strawberry.ID = node_id(subjects.AssessmentType, "The type of assessment.")
    code: str | None = may(_CODE)
    name: str | None = may("The name.")
    weight: Decimal | None = may("How much it weighs in an average, against the other types.")
    is_active: bool | None = may("Whether it is used now.")


@strawberry.input(description="Something to charge for.")
class CreateFeeCategoryInput(CreateInput):
    code: str = must(_CODE)
    name: str = must("The name.")
    description: str | None = may("What it pays for.", multiline=True)
    default_amount: Decimal | None = may("What is usually charged.")
    currency: str = must("ISO 4217 code of its currency.")


@strawberry.input(description="What to change of a fee category. Charges that were made keep their amounts.")
class UpdateFeeCategoryInput(UpdateInput):
    id: strawberry.ID = node_id(subjects.FeeCategory, "The fee category.")
    code: str | None = may(_CODE)
    name: str | None = may("The name.")
    description: str | None = may("What it pays for.", multiline=True)
    default_amount: Decimal | None = may("What is usually charged.")
    currency: str | None = may("ISO 4217 code of its currency.")
    is_active: bool | None = may("Whether it is charged now.")


@strawberry.type
class CatalogueMutations:
    create_subject = mutation(
        Capability.MANAGE_SCHOOL, CreateSubjectInput, create_action("subjects", "subject"), description="Makes a subject.", subject=_SUBJECT
    )
    update_subject = mutation(
        Capability.MANAGE_SCHOOL,
        UpdateSubjectInput,
        update_action("subjects", "subject"),
        description="Changes a subject.",
        subject=_SUBJECT,
    )
    create_assessment_type = mutation(
        Capability.MANAGE_SCHOOL,
        CreateAssessmentTypeInput,
        create_action("assessment_types", "assessment_type"),
        description="Makes a type of assessment.",
        assessment_type=_TYPE,
    )
    update_assessment_type = mutation(
        Capability.MANAGE_SCHOOL,
        UpdateAssessmentTypeInput,
        update_action("assessment_types", "assessment_type"),
        description="Changes a type of assessment; averages that are not posted yet follow.",
        assessment_type=_TYPE,
    )
    create_fee_category = mutation(
        Capability.MANAGE_SCHOOL,
        CreateFeeCategoryInput,
        create_action("fee_categories", "fee_category"),
        description="Makes a fee category.",
        fee_category=_CATEGORY,
    )
    update_fee_category = mutation(
        Capability.MANAGE_SCHOOL,
        UpdateFeeCategoryInput,
        update_action("fee_categories", "fee_category"),
        description="Changes a fee category.",
        fee_category=_CATEGORY,
    )
