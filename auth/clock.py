"""The time, as authentication sees it: one object, so that a test can set it."""

import time
from datetime import UTC, datetime

__all__ = ["Clock"]


class Clock:
    """The machine's clock. Workers on several machines must agree to within a few seconds (NTP)."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never set back."""
        return time.monotonic()
