"""What a payment gateway tells, whichever it is: a payment that came in, or how much of one was paid back by now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["GatewayEvent", "Part", "allocate_refund"]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a payment a charge gets; None: its part of what the others leave."""

    payment_id: UUID
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One event. `payment` is the gateway's id of the payment; of a REFUND, `amount` is what was paid back of it in all by then.

    `gateway_id` is unique over payments and refunds of the gateway. `problem` says why an event cannot be booked as it came.
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
        """JSON's values of it, amounts as texts."""
        return {
            "gateway": self.gateway, "event_id": self.event_id, "event_type": self.event_type, "kind": self.kind, "gateway_id": self.gateway_id,
            "payment": self.payment, "amount": str(self.amount), "currency": self.currency, "occurred_at": self.occurred_at.isoformat(),
            "parts": [{"payment_id": str(each.payment_id), "amount": None if each.amount is None else str(each.amount)} for each in self.parts],
            "problem": self.problem,
        }  # fmt: skip

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "GatewayEvent":
        parts = [Part(UUID(each["payment_id"]), None if each["amount"] is None else Decimal(each["amount"])) for each in facts["parts"]]
        return cls(
            **{name: facts[name] for name in ("gateway", "event_id", "event_type", "kind", "gateway_id", "payment", "currency", "problem")},
            amount=Decimal(facts["amount"]),
            occurred_at=datetime.fromisoformat(facts["occurred_at"]),
            parts=parts,
        )


def allocate_refund(amount: Decimal, remaining: Sequence[Decimal]) -> tuple[list[Decimal], Decimal]:
    """What of each entry of a payment is paid back, first entries first, and what found no place: they add up to the amount."""
    parts, left = [], amount
    for each in remaining:
        parts.append(min(left, each))
        left -= parts[-1]
    return parts, left
