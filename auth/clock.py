"""Provides the current time to authentication through one object, so that tests can set it."""

import time
from datetime import UTC, datetime

__all__ = ["Clock"]


class Clock:
    """Reads the system clock. The clocks of all machines that run workers must agree within a few seconds (NTP)."""

    def now(self) -> datetime:
        """Returns the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Returns seconds on a clock that never goes backwards; only differences are meaningful."""
        return time.monotonic()
