"""Represents the events of payment gateways: a payment that was received, or the total amount refunded of a payment so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["GatewayEvent", "Part", "allocate_refund"]


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a payment that is allocated to a charge. Without an `amount` the charge gets its share of the rest."""

    charge_id: UUID
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """An event of a gateway. `payment` is the gateway's id of the payment; for a REFUND `amount` is the total refunded so far.

    `gateway_id` is unique among the gateway's payments and refunds. `problem` says why the event cannot be booked as it was received.
    """

    gateway: str
    event_id: str
    event_type: str
    kind: str
    gateway_id: str
    payment: str
    amount: Decimal
    currency: str
    occurred_at: datetime
    parts: Sequence[Part] = field(default_factory=tuple)
    problem: str | None = None

    def to_facts(self) -> dict[str, Any]:
        """Converts the event to JSON values, with amounts as strings."""
        return {
            "gateway": self.gateway, "event_id": self.event_id, "event_type": self.event_type, "kind": self.kind, "gateway_id": self.gateway_id,
            "payment": self.payment, "amount": str(self.amount), "currency": self.currency, "occurred_at": self.occurred_at.isoformat(),
            "parts": [{"payment_id": str(each.charge_id), "amount": None if each.amount is None else str(each.amount)} for each in self.parts],
            "problem": self.problem,
        }  # fmt: skip

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "GatewayEvent":
        """Restores an event from the result of `to_facts`."""
        parts = [Part(UUID(each["payment_id"]), None if each["amount"] is None else Decimal(each["amount"])) for each in facts["parts"]]
        return cls(
            **{name: facts[name] for name in ("gateway", "event_id", "event_type", "kind", "gateway_id", "payment", "currency", "problem")},
            amount=Decimal(facts["amount"]),
            occurred_at=datetime.fromisoformat(facts["occurred_at"]),
            parts=parts,
        )


def allocate_refund(amount: Decimal, remaining: Sequence[Decimal]) -> tuple[list[Decimal], Decimal]:
    """Allocates a refund to the entries of a payment in order. Returns the amount for each entry and the rest, which add up to `amount`."""
    parts, left = [], amount
    for each in remaining:
        parts.append(min(left, each))
        left -= parts[-1]
    return parts, left
