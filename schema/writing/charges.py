"""Mutations of charges, for the bursar: a charge run is previewed row by row, then created."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from execution.fields import computed
from resolvers import academic_years, charges, classes, students, subjects
from resolvers.plan_rows import MAX_PLAN_ROWS, page_of_rows
from resolvers.writing.charges import Preview, cancel_charge, create_charges, preview_charges, update_charge
from schema.inputs import IdempotentInput, UpdateInput, node_id, node_ids, optional, read_input, required
from schema.mutations import mutation, payload_node, payload_nodes, payload_value
from schema.references import to_one
from schema.roots import mutation_fields, query_fields, root
from schema.user_errors import UserError

__all__ = ["ChargeMutations", "ChargePreviewQueries"]


@strawberry.enum(description="Which students `everyone` selects.")
class ChargeEveryone(Enum):
    IN_SCHOOL = strawberry.enum_value("IN_SCHOOL", description="Every active student who is in a class now.")
    IN_FEE_CATEGORY = strawberry.enum_value(
        "IN_FEE_CATEGORY",
        description="Every active student who is in a class now and has an uncancelled charge of the fee category that fell due"
        " within the year before the new due date, such as those who take lunch or ride the bus.",
    )


@strawberry.input(description="A charge run for some students, a class or everyone.")
class PreviewChargesInput:
    fee_category_id: strawberry.ID = node_id(subjects.FeeCategory, "The fee category, which determines the currency.")
    due_date: date = required("The due date, in the school's time zone.")
    amount: Decimal | None = optional("The amount of each charge. Defaults to the default amount of the fee category.")
    description: str | None = optional(
        "The description, at most 300 characters. Include the period, as in `Tuition for March 2026`.", multiline=True
    )
    academic_year_id: strawberry.ID | None = node_id(
        academic_years.AcademicYear, "The academic year. Defaults to the year that contains the due date.", optional=True
    )
    student_ids: list[strawberry.ID] | None = node_ids(students.Student, "Charge these students, at most 500.", optional=True)
    class_id: strawberry.ID | None = node_id(classes.Class, "Charge all students who are in this class now.", optional=True)
    everyone: ChargeEveryone | None = optional("Charge all students of this kind.")
    grade_level: int | None = optional("With `everyone`, charge only students of this grade level.")
    allow_again: bool | None = optional("Whether to also charge students who already have the same charge. Otherwise they prevent the run.")


@strawberry.input(description="A previewed charge run, with the same input as the preview.")
class CreateChargesInput(PreviewChargesInput, IdempotentInput):
    hash: str = required("The preview's `hash`.")


@strawberry.input(description="The charge to cancel.")
class CancelChargeInput(IdempotentInput):
    id: strawberry.ID = node_id(charges.Charge, "The charge.")
    reason: str = required("The reason, at most 300 characters.", multiline=True)


@strawberry.input(
    description="Changes to a charge. Its student, amount and currency cannot be changed: cancel the charge and create a new one instead."
)
class UpdateChargeInput(UpdateInput, IdempotentInput):
    id: strawberry.ID = node_id(charges.Charge, "The charge.")
    due_date: date | None = optional("The due date, in the school's time zone.")
    description: str | None = optional("The description.", multiline=True)


@strawberry.type(description="A planned charge.")
class ChargeRow:
    amount: Decimal = strawberry.field(description="The amount.")
    error: str | None = strawberry.field(description="Why the charge cannot be created: `ALREADY_CHARGED`; null if it can.")
    warnings: list[str] = strawberry.field(description="What to review: `ALREADY_CHARGED` (if that is allowed) or `INACTIVE`.")
    student = to_one(students.student_by_id, "student_id", description="The student to charge.")
    repeats = to_one(
        charges.charge_by_id,
        "repeats",
        description="The same charge, already created: an uncancelled charge of the fee category that has the same due date, or the"
        " same description in the same academic year.",
    )


def _of_plan(name: str, default: Any) -> Any:
    return lambda preview: default if preview.plan is None else getattr(preview.plan, name)


def _of_terms(name: str) -> Any:
    return lambda preview: None if preview.plan is None else getattr(preview.plan.terms, name)


@strawberry.type(description="The plan of a charge run. Nothing is written before `createCharges`.")
class ChargePreview:
    hash: str | None = computed(
        _of_plan("hash", None), description="A fingerprint of this preview, required by `createCharges`. Null if there are `userErrors`."
    )
    charge_count: int = computed(lambda preview: len(preview.plan.rows) if preview.plan else 0, description="The number of charges.")
    error_count: int = computed(_of_plan("failing", 0), description="The number of rows with an error. It must be 0 to create the charges.")
    total: Decimal | None = computed(_of_plan("total", None), description="The total amount of the charges.")
    currency: str | None = computed(_of_terms("currency"), description="ISO 4217 code of the currency.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year of the charges.")
    user_errors: list[UserError] = computed(lambda preview: preview.errors, description="Errors of the run as a whole.")

    @strawberry.field(metadata={SIZED_BY: "first"}, description="The rows, by class and name.")
    def rows(
        self: Any,
        first: Annotated[int, strawberry.argument(description=f"How many rows to return, at most {MAX_PLAN_ROWS}.")] = 100,
        after: Annotated[strawberry.ID | None, strawberry.argument(description="Return only rows after this student.")] = None,
        only_errors: Annotated[bool, strawberry.argument(description="Whether to return only rows with an error.")] = False,
    ) -> list[ChargeRow]:
        return page_of_rows(self.plan.rows if self.plan else [], first, after, only_errors=only_errors)  # type: ignore[return-value]  # rows stand for types


@query_fields
class ChargePreviewQueries:
    @root(
        Capability.MANAGE_MONEY,
        metadata={COST: 2_500},
        description="Previews a charge run, with every row and every error. Nothing is written.",
    )
    async def preview_charges(
        self, info: Info, input: Annotated[PreviewChargesInput, strawberry.argument(description="The charge run.")]
    ) -> ChargePreview | None:
        given, errors = read_input(input)
        if errors:
            return Preview(None, errors)  # type: ignore[return-value]  # it has what the type's fields read
        return await preview_charges(info.context, given)  # type: ignore[return-value]  # it has what the type's fields read


_CHARGE = payload_node(charges.charge_by_id, "The charge as it is now.")


@mutation_fields
class ChargeMutations:
    create_charges = mutation(
        Capability.MANAGE_MONEY,
        CreateChargesInput,
        create_charges,
        scope="createCharges",
        description="Creates all charges of a preview, or none. Rejected if anything has changed since the preview.",
        charge_count=payload_value(int | None, "The number of charges created."),
        total=payload_value(Decimal | None, "The total amount of the charges.", lambda total: Decimal(str(total))),
        currency=payload_value(str | None, "ISO 4217 code of the currency."),
        charges=payload_nodes(charges.charge_by_id, "The first 100 charges, in the order of the preview."),
    )
    cancel_charge = mutation(
        Capability.MANAGE_MONEY,
        CancelChargeInput,
        cancel_charge,
        scope="cancelCharge",
        description="Cancels a charge without payments, or whose payments were all refunded. It stays in the books as cancelled.",
        charge=_CHARGE,
    )
    update_charge = mutation(
        Capability.MANAGE_MONEY,
        UpdateChargeInput,
        update_charge,
        scope="updateCharge",
        description="Updates the due date or the description of a charge.",
        charge=_CHARGE,
    )
