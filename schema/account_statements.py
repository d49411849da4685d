"""Statements of account."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from execution.costs import COST, SIZED_BY
from execution.errors import Refusal
from execution.fields import edge_with
from resolvers import account_statements, charges
from schema.references import to_one

__all__ = ["Statement", "statements_edge"]


@strawberry.enum(description="What happened.")
class StatementEntryKind(Enum):
    CHARGE = strawberry.enum_value("CHARGE", description="A charge was created.")
    PAYMENT = strawberry.enum_value("PAYMENT", description="A payment was received.")
    REFUND = strawberry.enum_value("REFUND", description="A payment was refunded, in full or in part.")
    WAIVER = strawberry.enum_value("WAIVER", description="A part of a charge was waived.")
    CORRECTION = strawberry.enum_value("CORRECTION", description="An earlier entry was reversed.")
    CANCELLATION = strawberry.enum_value("CANCELLATION", description="A charge was cancelled.")


@strawberry.type(description="One line of a statement.")
class StatementEntry:
    occurred_at: datetime = strawberry.field(description="When it happened.")
    kind: StatementEntryKind = strawberry.field(description="What happened.")
    amount: Decimal = strawberry.field(
        description="The change of the balance: positive if it increases what is owed, negative if it reduces it."
    )
    balance: Decimal = strawberry.field(description="The balance after this entry.")
    description: str | None = strawberry.field(description="The description or reason.")
    charge = to_one(charges.charge_by_id, "payment_id", metadata={COST: 2}, description="The charge.")
    transaction = to_one(
        charges.transaction_by_id,
        "transaction_id",
        metadata={COST: 2},
        description="The transaction; null for a charge and for its cancellation.",
    )


@strawberry.type(
    description="A student's account in one currency over a period. Opening balance and entries add up to the closing balance."
)
class Statement:
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    opening_balance: Decimal = strawberry.field(description="The balance before the first day.")
    entries: list[StatementEntry] = strawberry.field(metadata={SIZED_BY: 30}, description="The entries, earliest first.")
    closing_balance: Decimal = strawberry.field(description="The balance after the last day.")


def statements_edge() -> Any:
    """Declares the field `statements` of a student."""

    @edge_with(
        account_statements.statements_of_student,
        "id",
        metadata={COST: 60, SIZED_BY: 2},
        description="The student's statements of account for a period, one per currency; empty without charges that you may see."
        f" A period has at most {account_statements.MAX_ENTRIES} entries.",
    )
    def statements(
        self: Any,
        info: Info,
        from_date: Annotated[
            date | None,
            strawberry.argument(description="The first day, in the school's time zone. Defaults to the beginning of the records."),
        ] = strawberry.UNSET,
        to_date: Annotated[
            date | None,
            strawberry.argument(description="The last day, in the school's time zone. Defaults to the end of the records."),
        ] = strawberry.UNSET,
    ) -> list[Statement]:
        first, last = from_date or date.min, to_date or date.max
        if first > last:
            raise Refusal("BAD_USER_INPUT", "`fromDate` must not be after `toDate`.", argument="fromDate")
        return (first, last)  # type: ignore[return-value]  # the loader's argument

    return statements
