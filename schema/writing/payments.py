"""What moves on charges, entered by the bursar: payments, refunds, waivers, corrections."""

from datetime import datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import payments
from resolvers.writing.payments import correct_payment, record_payment, refund_payment, waive_charge
from schema.inputs import IdempotentInput, may, must, node_id
from schema.listings.payments import PaymentMethod
from schema.mutations import mutation, payload_node, payload_nodes

__all__ = ["LedgerMutations"]

_WHEN = "When it happened, with its offset from UTC; now when left out, never in the future."
_WHY = "Why, at most 300 characters."
_CHARGE = payload_node(payments.payment_by_id, "The charge as it is now.")


@strawberry.input(description="What of a payment a charge gets.")
class PaymentAllocationInput:
    payment_id: strawberry.ID = node_id(payments.Payment, "The charge.")
    amount: Decimal | None = may("How much; when left out, its part of what the others leave: earliest due first, each up to what is owed.")


@strawberry.input(description="One payment, over however many charges of the children of one guardian.")
class RecordPaymentInput(IdempotentInput):
    amount: Decimal = must("How much was paid in all: the parts add up to it.")
    currency: str = must("ISO 4217 code of its currency, that of all its charges.")
    method: PaymentMethod = must("How it was paid.")
    allocations: list[PaymentAllocationInput] = must("Which charges it pays, at most 500, each once.")
    occurred_at: datetime | None = may(_WHEN)
    note: str | None = may("A note, a check's number say, at most 300 characters.", multiline=True)


@strawberry.input(description="A payment to be paid back, or a part of it.")
class RefundPaymentInput(IdempotentInput):
    transaction_id: strawberry.ID = node_id(payments.PaymentTransaction, "The payment: an entry of the ledger.")
    amount: Decimal | None = may("How much; all that was not paid back yet when left out.")
    method: PaymentMethod | None = may("How it is paid back; as it was paid when left out.")
    reason: str = must(_WHY, multiline=True)
    occurred_at: datetime | None = may(_WHEN)


@strawberry.input(description="What of a charge to let off.")
class WaiveChargeInput(IdempotentInput):
    payment_id: strawberry.ID = node_id(payments.Payment, "The charge.")
    amount: Decimal | None = may("How much; all that is owed when left out.")
    reason: str = must(_WHY, multiline=True)


@strawberry.input(description="What is right, in place of a wrong entry: of the same kind.")
class ReplacementInput:
    amount: Decimal = must("How much.")
    payment_id: strawberry.ID | None = node_id(payments.Payment, "The charge, when it was entered on a wrong one.", optional=True)
    method: PaymentMethod | None = may("How money moved; as it was entered when left out.")
    occurred_at: datetime | None = may("When it happened; as it was entered when left out.")


@strawberry.input(description="A wrong entry of the ledger: a payment, a refund or a waiver.")
class CorrectPaymentInput(IdempotentInput):
    transaction_id: strawberry.ID = node_id(payments.PaymentTransaction, "The wrong entry.")
    reason: str = must(_WHY, multiline=True)
    replacement: ReplacementInput | None = may("What is right, entered at the same time.")


@strawberry.type
class LedgerMutations:
    record_payment = mutation(
        Capability.MANAGE_MONEY,
        RecordPaymentInput,
        record_payment,
        scope="recordPayment",
        description="Enters a payment over charges of one family, with one receipt.",
        receipt=payload_node(payments.receipt_by_id, "The receipt, with the academic year's next number."),
        payments=payload_nodes(payments.payment_by_id, "The charges that it paid, as they are now."),
    )
    refund_payment = mutation(
        Capability.MANAGE_MONEY,
        RefundPaymentInput,
        refund_payment,
        scope="refundPayment",
        description="Pays back a payment or a part of it, never more than it. A charge that was paid back can be paid again.",
        transaction=payload_node(payments.transaction_by_id, "The refund."),
        payment=_CHARGE,
    )
    waive_charge = mutation(
        Capability.MANAGE_MONEY,
        WaiveChargeInput,
        waive_charge,
        scope="waiveCharge",
        description="Lets off what is owed on a charge, or a part of it.",
        transaction=payload_node(payments.transaction_by_id, "The waiver."),
        payment=_CHARGE,
    )
    correct_payment = mutation(
        Capability.MANAGE_MONEY,
        CorrectPaymentInput,
        correct_payment,
        scope="correctPayment",
        description="Takes a wrong entry back by a linked one, and enters what is right in its place when that is given.",
        correction=payload_node(payments.transaction_by_id, "The entry that takes the wrong one back."),
        transaction=payload_node(payments.transaction_by_id, "What was entered in its place."),
        receipt=payload_node(payments.receipt_by_id, "The receipt of a payment that was entered in its place."),
        payment=payload_node(payments.payment_by_id, "The charge of the wrong entry, as it is now."),
    )
