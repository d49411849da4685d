"""What moved on charges, and receipts."""

from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, payments, users
from schema.connections import connection, root_connection
from schema.listings.payments import RECEIPTS, TRANSACTIONS, PaymentMethod
from schema.nodes import Node, node
from schema.references import to_one

__all__ = ["PaymentTransaction", "Receipt", "ReceiptQueries"]


@strawberry.enum(description="What moved.")
class TransactionKind(Enum):
    PAYMENT = strawberry.enum_value("PAYMENT", description="Money came in.")
    REFUND = strawberry.enum_value("REFUND", description="Money was paid back.")
    WAIVER = strawberry.enum_value("WAIVER", description="A part was let off.")
    CORRECTION = strawberry.enum_value("CORRECTION", description="An earlier entry was taken back.")


@node(payments.PaymentTransaction, payments.transaction_by_id)
@strawberry.type(description="An entry in the ledger. Nothing is edited or deleted: a mistake is taken back by a linked entry.")
class PaymentTransaction(Node):
    kind: TransactionKind = strawberry.field(description="What moved.")
    corrected_kind: TransactionKind | None = strawberry.field(description="Of a correction: what it takes back.")
    amount: Decimal = strawberry.field(description="How much, always above zero.")
    currency: str = strawberry.field(description="ISO 4217 code of its currency, the charge's.")
    method: PaymentMethod | None = strawberry.field(description="How money moved.")
    reason: str | None = strawberry.field(description="Why.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    created_at: datetime = strawberry.field(description="When it was entered.")
    payment = to_one(payments.payment_by_id, "payment_id", description="The charge.")
    receipt = to_one(payments.receipt_by_id, "receipt_id", description="The receipt that was given.")
    linked = to_one(payments.transaction_by_id, "linked_id", description="The entry that this one is about.")
    processed_by = to_one(users.user_by_id, "processed_by", description="Who entered it.")


@node(payments.Receipt, payments.receipt_by_id)
@strawberry.type(description="A receipt for one payment, over however many charges. Numbers have no gaps within a year.")
class Receipt(Node):
    number: int = strawberry.field(description="The number, counted from 1 in each academic year.")
    issued_at: datetime = strawberry.field(description="When it was issued.")
    amount: Decimal = strawberry.field(
        description="What was paid with it on the charges that you may see, as it was entered: what was taken back since is among `transactions`."
    )
    currency: str = strawberry.field(description="ISO 4217 code of its currency.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The year it is numbered in.")
    issued_by = to_one(users.user_by_id, "issued_by", description="Who issued it.")
    transactions = connection(TRANSACTIONS, "receipt", description="What it is for, as far as you may see it.")


@strawberry.type
class ReceiptQueries:
    receipts = root_connection(
        RECEIPTS, Capability.SIGNED_IN, count_cost=2_000, description="The receipts you may see, latest number first."
    )
