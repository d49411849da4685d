"""Stripe's webhooks: the public format of its signatures and events.

Source: https://docs.stripe.com/webhooks (signatures), https://docs.stripe.com/currencies (smallest units).
A payment says which charges it is for in its metadata: `rollcall_charges: "pay_…"`, or `"pay_…:50.00,pay_…:20.50"`, or `"pay_…,pay_…"` for charges
that get their part, earliest due first. Metadata values are short: more charges go into `rollcall_charges_2` and so on.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from execution.errors import Refusal
from gateways.adapter import NotGenuineError, UnreadableError
from resolvers.identifiers import read_id
from resolvers.payments import Payment
from rules.decimals import read_decimal
from rules.gateway_events import GatewayEvent, Part
from rules.money import exponent, from_minor

__all__ = ["TOLERANCE_SECONDS", "Stripe"]

TOLERANCE_SECONDS = 300
_CHARGES = "rollcall_charges"
# A time, and a signature of 64 characters for each secret.
_LONGEST_SIGNATURE = 1_024
# Stripe's ids are at most 255 characters long. Longer ones fit into no index.
_ID = re.compile(r"[!-~]{1,255}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
# Where Stripe's smallest unit is not the currency's: kept by Stripe for what was written before these changed.
_EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}


class Stripe:
    """`secrets` are the endpoint's signing secrets: several while one takes the place of another."""

    name = "stripe"

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [each.encode() for each in secrets]

    @property
    def is_set_up(self) -> bool:
        return bool(self._secrets)

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> GatewayEvent | None:
        self._verify(headers.get("stripe-signature", ""), body, now)
        try:
            event = orjson.loads(body)
            return _event(event, event["id"], event["type"], event["data"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            # Not the error's text, which is logged: it can quote what was sent.
            raise UnreadableError(f"not an event as Stripe's API describes it: {type(error).__name__}") from None

    def _verify(self, header: str, body: bytes, now: datetime) -> None:
        if len(header) > _LONGEST_SIGNATURE:
            raise NotGenuineError("`Stripe-Signature` is longer than any of theirs")
        pairs = [part.strip().partition("=") for part in header.split(",")]
        times = [value for name, _, value in pairs if name == "t"]
        given = [value.encode() for name, _, value in pairs if name == "v1"]
        if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12 or not given:
            raise NotGenuineError("`Stripe-Signature` is missing or is none")
        signed = times[0].encode() + b"." + body
        right = False
        for secret in self._secrets:
            wanted = hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()
            for each in given:
                right |= hmac.compare_digest(wanted, each)
        if not right:
            raise NotGenuineError("no signature is right")
        if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
            raise NotGenuineError("the signature is too old")


def _event(event: Any, event_id: str, event_type: str, data: Any) -> GatewayEvent | None:
    thing, created = data["object"], event["created"]
    if type(created) is not int or not 0 <= created < _LATEST:
        raise ValueError("`created` is not a time")
    occurred_at = datetime.fromtimestamp(created, UTC)
    if event_type == "payment_intent.succeeded":
        payment, units = thing["id"], thing["amount_received"]
    elif event_type == "checkout.session.completed":
        if thing["payment_status"] != "paid":
            return None  # a delayed method: `payment_intent.succeeded` tells when it has come in
        payment, units = thing["payment_intent"], thing["amount_total"]
    elif event_type == "charge.refunded":
        payment, units = thing["payment_intent"], thing["amount_refunded"]
    else:
        return None
    # JSON numbers beyond 64 bits have become floats by now, and `true` is an int to Python.
    if not _is_id(payment) or not _is_id(event_id) or type(units) is not int or units <= 0:
        raise ValueError("an id or an amount is missing, or is none")
    currency = thing["currency"]
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise ValueError("the currency is none")
    currency = currency.upper()
    amount = from_minor(units, _EXPONENTS.get(currency, exponent(currency)))
    if event_type == "charge.refunded":
        return GatewayEvent("stripe", event_id, event_type, "REFUND", f"{payment}/refunded/{units}", payment, amount, currency, occurred_at)
    parts, problem = _parts(thing.get("metadata") or {})
    return GatewayEvent("stripe", event_id, event_type, "PAYMENT", payment, payment, amount, currency, occurred_at, parts, problem)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _parts(metadata: Mapping[str, str]) -> tuple[list[Part], str | None]:
    """What the metadata says of charges, and why that cannot be read."""
    parts = []
    named = ",".join(metadata[name] for name in sorted(metadata) if name == _CHARGES or name.startswith(f"{_CHARGES}_"))
    for each in filter(None, (part.strip() for part in named.split(","))):
        charge, colon, amount = each.partition(":")
        try:
            parts.append(Part(read_id(charge, Payment.tag, Payment.type_name, _CHARGES), read_decimal(amount.strip()) if colon else None))
        except (Refusal, ValueError):
            return [], f"`{_CHARGES}` has a part that is no charge and amount: {each[:80]!r}."
    return parts, None if parts else f"The metadata has no `{_CHARGES}`: it does not say what was paid."
