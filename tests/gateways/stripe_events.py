"""Builds webhook events in Stripe's public format, signs them as Stripe does, and delivers them."""

import hashlib
import hmac
import time
from typing import Any
from uuid import uuid4

import orjson

__all__ = ["SECRET", "checkout", "deliver", "intent", "refunded", "signature"]

SECRET = "whsec_" + "a" * 32


def signature(body: bytes, *secrets: str, at: int | None = None) -> str:
    at = int(time.time()) if at is None else at
    signs = [hmac.new(each.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest() for each in secrets or (SECRET,)]
    return ",".join([f"t={at}", *(f"v1={each}" for each in signs)])


def _event(kind: str, thing: dict[str, Any], event_id: str | None) -> dict[str, Any]:
    # The school's clock in tests is fixed on 18 March 2026.
    return {"id": event_id or f"evt_{uuid4().hex}", "object": "event", "type": kind, "created": 1773820000, "data": {"object": thing}}


def intent(
    charges: str | None, units: int, *, payment: str | None = None, currency: str = "eur", event_id: str | None = None, **metadata: str
):
    if charges is not None:
        metadata["rollcall_charges"] = charges
    thing = {"id": payment or f"pi_{uuid4().hex}", "amount_received": units, "currency": currency, "metadata": metadata}
    return _event("payment_intent.succeeded", thing, event_id)


def checkout(charges: str, units: int, payment: str, *, status: str = "paid", currency: str = "eur"):
    thing = {
        "id": f"cs_{uuid4().hex}", "payment_intent": payment, "amount_total": units, "currency": currency, "payment_status": status,
        "metadata": {"rollcall_charges": charges},
    }  # fmt: skip
    return _event("checkout.session.completed", thing, None)


def refunded(payment: str, units: int, *, currency: str = "eur"):
    return _event("charge.refunded", {"id": "ch_1", "payment_intent": payment, "amount_refunded": units, "currency": currency}, None)


async def deliver(client: Any, event: Any, *, body: bytes | None = None, header: str | None = None):
    """Delivers an event and returns the response: its status, and the event's state or the error's code."""
    body = orjson.dumps(event) if body is None else body
    header = signature(body) if header is None else header
    answer = await client.http.post(
        "/webhooks/stripe", content=body, headers={"stripe-signature": header, "content-type": "application/json"}
    )
    said = answer.json()
    return answer.status_code, said.get("state") or said["errors"][0]["extensions"]["code"]
