"""Defines the interface of a payment gateway's adapter. A new gateway needs a module with such a class, and a line in app.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from rules.gateway_events import GatewayEvent

__all__ = ["Adapter", "NotGenuineError", "UnreadableError"]


class NotGenuineError(Exception):
    """Raised for a signature that is missing, wrong, or too old."""


class UnreadableError(Exception):
    """Raised for a signed request that is not a valid event of the gateway."""


class Adapter(Protocol):
    """The interface of an adapter. `name` ends the path of the route and identifies the gateway in the ledger."""

    name: str

    @property
    def is_set_up(self) -> bool:
        """Whether a signing secret is configured, without which no request can be verified."""

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> GatewayEvent | None:
        """Verifies a request and returns its event, or None for an event that is ignored. Raises NotGenuineError and UnreadableError."""
