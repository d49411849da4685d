"""Charges, made and changed by the bursar: a run is previewed with every row, then done."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from execution.errors import Refusal
from execution.fields import computed
from resolvers import academic_years, classes, payments, students, subjects
from resolvers.identifiers import read_id
from resolvers.writing.charges import Preview, cancel_charge, create_charges, preview_charges, update_charge
from rules.charges import Row
from schema.inputs import IdempotentInput, UpdateInput, may, must, node_id, node_ids, read_input
from schema.mutations import mutation, payload_node, payload_nodes, payload_value
from schema.references import to_one
from schema.roots import root
from schema.user_errors import UserError

__all__ = ["ChargeMutations", "ChargeQueries"]

_CAP = 500


@strawberry.enum(description="Who is charged when it is everyone.")
class ChargeEveryone(Enum):
    IN_SCHOOL = strawberry.enum_value("IN_SCHOOL", description="Every active student who is in a class now.")
    IN_FEE_CATEGORY = strawberry.enum_value(
        "IN_FEE_CATEGORY",
        description="Every active student who is in a class now and has a charge of the fee category that stands and fell due in the year"
        " before the new one: those who take lunch, who ride the bus.",
    )


@strawberry.input(description="A charge to be made for one student, for some, for a class or for everyone: looked at before it is made.")
class PreviewChargesInput:
    fee_category_id: strawberry.ID = node_id(subjects.FeeCategory, "What is charged for. Its currency is the charges'.")
    due_date: date = must("The day they fall due, where the school is.")
    amount: Decimal | None = may("How much each is charged; the fee category's usual amount when left out.")
    description: str | None = may("What for, at most 300 characters; name the period in it: `Tuition for March 2026`.", multiline=True)
    academic_year_id: strawberry.ID | None = node_id(
        academic_years.AcademicYear, "The academic year they are for; the one of the due date when left out.", optional=True
    )
    student_ids: list[strawberry.ID] | None = node_ids(students.Student, "These students, at most 500.", optional=True)
    class_id: strawberry.ID | None = node_id(classes.Class, "Everyone who is in this class now.", optional=True)
    everyone: ChargeEveryone | None = may("Everyone, in this sense.")
    grade_level: int | None = may("Of everyone, only this grade level.")
    allow_again: bool | None = may("Also charge those who have the same charge already; they keep the run from being done otherwise.")


@strawberry.input(description="Charges that you previewed, asked for in the same words.")
class CreateChargesInput(PreviewChargesInput, IdempotentInput):
    hash: str = must("The preview's `hash`.")


@strawberry.input(description="A charge to be taken back.")
class CancelChargeInput(IdempotentInput):
    payment_id: strawberry.ID = node_id(payments.Payment, "The charge.")
    reason: str = must("Why, at most 300 characters.", multiline=True)


@strawberry.input(
    description="What to change of a charge. Whose it is, its amount and its currency do not change: cancel it and make another."
)
class UpdateChargeInput(UpdateInput, IdempotentInput):
    id: strawberry.ID = node_id(payments.Payment, "The charge.")
    due_date: date | None = may("The day it falls due, where the school is.")
    description: str | None = may("What for.", multiline=True)


@strawberry.type(description="One charge to be.")
class ChargeRow:
    amount: Decimal = strawberry.field(description="What would be charged.")
    error: str | None = strawberry.field(description="Why it cannot be: `ALREADY_CHARGED`; null when it can.")
    warnings: list[str] = strawberry.field(description="What to look at: `ALREADY_CHARGED` when that is allowed, `INACTIVE`.")
    student = to_one(students.student_by_id, "student_id", description="Who would be charged.")
    repeats = to_one(
        payments.payment_by_id,
        "repeats",
        description="A charge that stands and is the same: of the fee category, and due that day or described so in that academic year.",
    )


def _of_plan(name: str, default: Any) -> Any:
    return lambda preview: default if preview.plan is None else getattr(preview.plan, name)


def _of_terms(name: str) -> Any:
    return lambda preview: None if preview.plan is None else getattr(preview.plan.terms, name)


@strawberry.type(description="What a charge run would come to. Nothing is written until it is done by `createCharges`.")
class ChargePreview:
    hash: str | None = computed(
        _of_plan("hash", None), description="Says that you saw this preview: `createCharges` asks for it. Null with `userErrors`."
    )
    count: int = computed(lambda preview: len(preview.plan.rows) if preview.plan else 0, description="How many charges it would be.")
    failing: int = computed(_of_plan("failing", 0), description="How many rows cannot be: the run is done when it is 0.")
    total: Decimal | None = computed(_of_plan("total", None), description="What they would add up to.")
    currency: str | None = computed(_of_terms("currency"), description="ISO 4217 code of their currency.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year they would be for.")
    user_errors: list[UserError] = computed(lambda preview: preview.errors, description="What is wrong with the run as a whole.")

    @strawberry.field(metadata={SIZED_BY: "first"}, description="The rows, by class and name.")
    def rows(
        self: Any,
        first: Annotated[int, strawberry.argument(description=f"How many, at most {_CAP}.")] = 100,
        after: Annotated[strawberry.ID | None, strawberry.argument(description="Only what comes after this student.")] = None,
        only_errors: Annotated[bool, strawberry.argument(description="Only the rows that cannot be.")] = False,
    ) -> list[ChargeRow]:
        if not 0 <= first <= _CAP:
            raise Refusal("BAD_USER_INPUT", f"`first` must be between 0 and {_CAP}.", argument="first")
        rows: list[Row] = [row for row in (self.plan.rows if self.plan else []) if row.error or not only_errors]
        if after is not None:
            last = read_id(after, students.Student.tag, students.Student.type_name, "after")
            place = next((n for n, row in enumerate(rows) if row.student_id == last), None)
            if place is None:
                raise Refusal("BAD_USER_INPUT", "`after` is not a student of these rows.", argument="after")
            rows = rows[place + 1 :]
        return rows[:first]  # type: ignore[return-value]  # rows stand for types


@strawberry.type
class ChargeQueries:
    @root(
        Capability.MANAGE_MONEY,
        metadata={COST: 2_500},
        description="What a charge run would come to: every row, and everything that stands against it. Nothing is written.",
    )
    async def preview_charges(
        self, info: Info, input: Annotated[PreviewChargesInput, strawberry.argument(description="The run.")]
    ) -> ChargePreview | None:
        given, errors = read_input(input)
        if errors:
            return Preview(None, errors)  # type: ignore[return-value]  # it has what the type's fields read
        return await preview_charges(info.context, given)  # type: ignore[return-value]  # it has what the type's fields read


_CHARGE = payload_node(payments.payment_by_id, "The charge as it is now.")


@strawberry.type
class ChargeMutations:
    create_charges = mutation(
        Capability.MANAGE_MONEY,
        CreateChargesInput,
        create_charges,
        scope="createCharges",
        description="Does what a preview showed, all of it or nothing; refused when anything has changed since you saw it.",
        charged=payload_value(int | None, "How many charges were made."),
        total=payload_value(Decimal | None, "What they add up to.", lambda total: Decimal(str(total))),
        currency=payload_value(str | None, "ISO 4217 code of their currency."),
        payments=payload_nodes(payments.payment_by_id, "The charges, in the preview's order; the first 100."),
    )
    cancel_charge = mutation(
        Capability.MANAGE_MONEY,
        CancelChargeInput,
        cancel_charge,
        scope="cancelCharge",
        description="Takes a charge back on which nothing is paid that was not paid back. It stays in the books as cancelled.",
        payment=_CHARGE,
    )
    update_charge = mutation(
        Capability.MANAGE_MONEY,
        UpdateChargeInput,
        update_charge,
        scope="updateCharge",
        description="Changes the due date or the description of a charge.",
        payment=_CHARGE,
    )
