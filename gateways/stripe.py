"""Verifies and parses Stripe's webhooks.

Source: https://docs.stripe.com/webhooks (signatures), https://docs.stripe.com/currencies (smallest units).
The metadata of a payment names the charges that it pays: `rollcall_charges: "chg_…"`, or `"chg_…:50.00,chg_…:20.50"`, or `"chg_…,chg_…"` to
allocate the amount to the charges, earliest due first. Metadata values are short, so further charges go into `rollcall_charges_2` and so on.
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
from resolvers.charges import Charge
from resolvers.identifiers import read_id
from rules.decimals import read_decimal
from rules.gateway_events import GatewayEvent, Part
from rules.money import exponent, from_minor

__all__ = ["TOLERANCE_SECONDS", "Stripe"]

TOLERANCE_SECONDS = 300
_CHARGES = "rollcall_charges"
# The header contains a timestamp, and a signature of 64 characters for each secret.
_MAX_SIGNATURE_LENGTH = 1_024
# Stripe's ids have at most 255 characters. Longer ones would not fit into an index.
_ID = re.compile(r"[!-~]{1,255}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
# Currencies for which Stripe, for backward compatibility, uses another smallest unit than ISO 4217.
_EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}


class Stripe:
    """Stripe's adapter. `secrets` are the signing secrets of the endpoint: several while one is being rotated."""

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
            # Without the text of the error, which may quote the request and would be logged.
            raise UnreadableError(f"not an event as Stripe's API describes it: {type(error).__name__}") from None

    def _verify(self, header: str, body: bytes, now: datetime) -> None:
        if len(header) > _MAX_SIGNATURE_LENGTH:
            raise NotGenuineError("the header `Stripe-Signature` is too long")
        pairs = [part.strip().partition("=") for part in header.split(",")]
        times = [value for name, _, value in pairs if name == "t"]
        given = [value.encode() for name, _, value in pairs if name == "v1"]
        if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12 or not given:
            raise NotGenuineError("the header `Stripe-Signature` is missing or malformed")
        signed = times[0].encode() + b"." + body
        matches = False
        for secret in self._secrets:
            expected = hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()
            for each in given:
                matches |= hmac.compare_digest(expected, each)
        if not matches:
            raise NotGenuineError("no signature matches")
        if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
            raise NotGenuineError("the signature is too old")


def _event(event: Any, event_id: str, event_type: str, data: Any) -> GatewayEvent | None:
    thing, created = data["object"], event["created"]
    if type(created) is not int or not 0 <= created < _LATEST:
        raise ValueError("`created` is not a timestamp")
    occurred_at = datetime.fromtimestamp(created, UTC)
    if event_type == "payment_intent.succeeded":
        payment, units = thing["id"], thing["amount_received"]
    elif event_type == "checkout.session.completed":
        if thing["payment_status"] != "paid":
            return None  # a delayed payment method: `payment_intent.succeeded` follows when the payment has arrived
        payment, units = thing["payment_intent"], thing["amount_total"]
    elif event_type == "charge.refunded":
        payment, units = thing["payment_intent"], thing["amount_refunded"]
    else:
        return None
    # JSON numbers beyond 64 bits have been parsed as floats, and bool is a subclass of int in Python.
    if not _is_id(payment) or not _is_id(event_id) or type(units) is not int or units <= 0:
        raise ValueError("an id or an amount is missing or malformed")
    currency = thing["currency"]
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise ValueError("the currency is malformed")
    currency = currency.upper()
    amount = from_minor(units, _EXPONENTS.get(currency, exponent(currency)))
    if event_type == "charge.refunded":
        return GatewayEvent("stripe", event_id, event_type, "REFUND", f"{payment}/refunded/{units}", payment, amount, currency, occurred_at)
    parts, problem = _parts(thing.get("metadata") or {})
    return GatewayEvent("stripe", event_id, event_type, "PAYMENT", payment, payment, amount, currency, occurred_at, parts, problem)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _parts(metadata: Mapping[str, str]) -> tuple[list[Part], str | None]:
    """Returns the charges that the metadata names with their amounts, and a sentence if they cannot be parsed."""
    parts = []
    named = ",".join(metadata[name] for name in sorted(metadata) if name == _CHARGES or name.startswith(f"{_CHARGES}_"))
    for each in filter(None, (part.strip() for part in named.split(","))):
        charge, colon, amount = each.partition(":")
        try:
            parts.append(Part(read_id(charge, Charge.tag, Charge.type_name, _CHARGES), read_decimal(amount.strip()) if colon else None))
        except (Refusal, ValueError):
            return [], f"`{_CHARGES}` contains an entry that is not a charge with an optional amount: {each[:80]!r}."
    return parts, None if parts else f"The metadata has no `{_CHARGES}`, so it is unknown which charges were paid."
