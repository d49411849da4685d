"""Sends refusals at a bounded rate.

Clients that retry immediately after each refusal would otherwise use up the event loop's time.
"""

import asyncio

__all__ = ["RefusalPacer"]

_PER_SECOND = 50.0
_LONGEST_HELD = 5.0
_MOST_HELD = 1_000


class RefusalPacer:
    """Delays refusals, the more of them are delayed the longer. A single refusal is not delayed."""

    def __init__(self) -> None:
        self.held = 0

    async def hold(self) -> None:
        """Waits until a refusal may be sent. Callers should hold no other resources meanwhile."""
        if self.held >= _MOST_HELD:
            return
        self.held += 1
        try:
            await asyncio.sleep(min((self.held - 1) / _PER_SECOND, _LONGEST_HELD))
        finally:
            self.held -= 1
