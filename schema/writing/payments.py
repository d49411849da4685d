"""Mutations of payments, refunds, waivers and corrections, for the bursar."""

from datetime import datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import charges
from resolvers.writing.payments import correct_payment, record_payment, refund_payment, waive_charge
from schema.inputs import IdempotentInput, node_id, optional, required
from schema.listings.charges import PaymentMethod
from schema.mutations import mutation, payload_node, payload_nodes
from schema.roots import mutation_fields

__all__ = ["LedgerMutations"]

_WHEN = "When it happened, with its offset from UTC, not in the future. Defaults to now."
_WHY = "The reason, at most 300 characters."
_CHARGE = payload_node(charges.charge_by_id, "The charge as it is now.")


@strawberry.input(description="The allocation of a payment to a charge.")
class PaymentAllocationInput:
    charge_id: strawberry.ID = node_id(charges.Charge, "The charge.")
    amount: Decimal | None = optional(
        "The amount. By default the rest of the payment is allocated by due date, earliest first, up to what is owed on each charge."
    )


@strawberry.input(description="A payment of one or more charges of students who share a guardian.")
class RecordPaymentInput(IdempotentInput):
    amount: Decimal = required("The total paid, which must equal the sum of the allocations.")
    currency: str = required("ISO 4217 code of the currency, which must be that of all charges.")
    method: PaymentMethod = required("The method of payment.")
    allocations: list[PaymentAllocationInput] = required("The charges to pay, at most 500, each once.")
    occurred_at: datetime | None = optional(_WHEN)
    note: str | None = optional("A note, such as the number of a check, at most 300 characters.", multiline=True)


@strawberry.input(description="A refund of a payment, in full or in part.")
class RefundPaymentInput(IdempotentInput):
    id: strawberry.ID = node_id(charges.PaymentTransaction, "The payment to refund.")
    amount: Decimal | None = optional("The amount. Defaults to everything that has not been refunded yet.")
    method: PaymentMethod | None = optional("The method of the refund. Defaults to the method of the payment.")
    reason: str = required(_WHY, multiline=True)
    occurred_at: datetime | None = optional(_WHEN)


@strawberry.input(description="A waiver of a charge, in full or in part.")
class WaiveChargeInput(IdempotentInput):
    id: strawberry.ID = node_id(charges.Charge, "The charge.")
    amount: Decimal | None = optional("The amount. Defaults to everything that is owed.")
    reason: str = required(_WHY, multiline=True)


@strawberry.input(description="The replacement of a wrong entry, of the same kind.")
class TransactionReplacementInput:
    amount: Decimal = required("The amount.")
    charge_id: strawberry.ID | None = node_id(charges.Charge, "The right charge, if the entry was made on a wrong one.", optional=True)
    method: PaymentMethod | None = optional("The method of payment. Defaults to that of the wrong entry.")
    occurred_at: datetime | None = optional("When it happened. Defaults to the time of the wrong entry.")


@strawberry.input(description="A wrong transaction to correct: a payment, refund or waiver.")
class CorrectPaymentInput(IdempotentInput):
    id: strawberry.ID = node_id(charges.PaymentTransaction, "The wrong transaction.")
    reason: str = required(_WHY, multiline=True)
    replacement: TransactionReplacementInput | None = optional("The replacement, entered at the same time.")


@mutation_fields
class LedgerMutations:
    record_payment = mutation(
        Capability.MANAGE_MONEY,
        RecordPaymentInput,
        record_payment,
        scope="recordPayment",
        description="Records a payment of charges of one family, with one receipt.",
        receipt=payload_node(charges.receipt_by_id, "The receipt, with the next number of the academic year."),
        charges=payload_nodes(charges.charge_by_id, "The paid charges, as they are now."),
    )
    refund_payment = mutation(
        Capability.MANAGE_MONEY,
        RefundPaymentInput,
        refund_payment,
        scope="refundPayment",
        description="Refunds a payment in full or in part. A refunded charge can be paid again.",
        transaction=payload_node(charges.transaction_by_id, "The refund."),
        charge=_CHARGE,
    )
    waive_charge = mutation(
        Capability.MANAGE_MONEY,
        WaiveChargeInput,
        waive_charge,
        scope="waiveCharge",
        description="Waives what is owed on a charge, in full or in part.",
        transaction=payload_node(charges.transaction_by_id, "The waiver."),
        charge=_CHARGE,
    )
    correct_payment = mutation(
        Capability.MANAGE_MONEY,
        CorrectPaymentInput,
        correct_payment,
        scope="correctPayment",
        description="Reverses a wrong transaction by a linked correction, and records its replacement if one is given.",
        correction=payload_node(charges.transaction_by_id, "The correction that reverses the wrong transaction."),
        transaction=payload_node(charges.transaction_by_id, "The replacement."),
        receipt=payload_node(charges.receipt_by_id, "The receipt of the replacement, if it is a payment."),
        charge=payload_node(charges.charge_by_id, "The charge of the wrong transaction, as it is now."),
    )
