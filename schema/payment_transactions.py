"""Transactions on charges, and receipts."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, charges, users
from schema.connections import connection, root_connection
from schema.listings.charges import RECEIPTS, TRANSACTIONS, PaymentMethod
from schema.nodes import Node, node
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["PaymentTransaction", "Receipt", "ReceiptQueries"]


@strawberry.enum(description="The kind of transaction.")
class TransactionKind(Enum):
    PAYMENT = strawberry.enum_value("PAYMENT", description="A payment was received.")
    REFUND = strawberry.enum_value("REFUND", description="A payment was refunded, in full or in part.")
    WAIVER = strawberry.enum_value("WAIVER", description="A part of a charge was waived.")
    CORRECTION = strawberry.enum_value("CORRECTION", description="An earlier entry was reversed.")


@node(charges.PaymentTransaction, charges.transaction_by_id)
@strawberry.type(
    description="A transaction on a charge. Transactions are never edited or deleted: a mistake is reversed by a linked correction."
)
class PaymentTransaction(Node):
    kind: TransactionKind = strawberry.field(description="The kind of transaction.")
    corrected_kind: TransactionKind | None = strawberry.field(description="For a correction: the kind of transaction that it reverses.")
    amount: Decimal = strawberry.field(description="The amount, always positive.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency, which is that of the charge.")
    method: PaymentMethod | None = strawberry.field(description="The method of payment.")
    reason: str | None = strawberry.field(description="Why.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    created_at: datetime = strawberry.field(description="When it was entered.")
    charge = to_one(charges.charge_by_id, "payment_id", description="The charge.")
    receipt = to_one(charges.receipt_by_id, "receipt_id", description="The receipt.")
    original_transaction = to_one(charges.transaction_by_id, "linked_id", description="The transaction that this one refunds or corrects.")
    processed_by = to_one(users.user_by_id, "processed_by", description="Who entered it.")


@node(charges.Receipt, charges.receipt_by_id)
@strawberry.type(description="A receipt for one payment of one or more charges. Receipt numbers have no gaps within an academic year.")
class Receipt(Node):
    number: int = strawberry.field(description="The receipt number, counted from 1 in each academic year.")
    issued_at: datetime = strawberry.field(description="When it was issued.")
    amount: Decimal = strawberry.field(
        description="The amount paid on the charges that you may see, as originally entered; later corrections are among `transactions`."
    )
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year of the number.")
    issued_by = to_one(users.user_by_id, "issued_by", description="Who issued it.")
    transactions = connection(TRANSACTIONS, "receipt", description="The transactions that it covers, as far as you may see them.")


@query_fields
class ReceiptQueries:
    receipts = root_connection(
        RECEIPTS, Capability.SIGNED_IN, count_cost=2_000, description="The receipts you may see, latest number first."
    )
