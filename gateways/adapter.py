"""What a payment gateway's adapter is: another gateway is another file with such a class, and a line in app.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from rules.gateway_events import GatewayEvent

__all__ = ["Adapter", "NotGenuineError", "UnreadableError"]


class NotGenuineError(Exception):
    """The signature is missing, wrong, or too old."""


class UnreadableError(Exception):
    """It is signed, and no event of this gateway's."""


class Adapter(Protocol):
    """`name` is the end of the route's address and what the ledger calls the gateway; `is_set_up`: whether it can verify anything."""

    name: str

    @property
    def is_set_up(self) -> bool: ...

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> GatewayEvent | None:
        """The event in a request; None for one that is of no interest. Raises NotGenuineError and UnreadableError."""
