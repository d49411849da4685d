"""Refusals that leave at a bounded rate.

A client that asks again as soon as it is refused would otherwise spend all of the event loop's time on its refusals.
"""

import asyncio

__all__ = ["RefusalPacer"]

_PER_SECOND = 50.0
_LONGEST_HELD = 5.0
_MOST_HELD = 1_000


class RefusalPacer:
    """Holds refusals back, the longer the more of them are held. A lone one is not held at all."""

    def __init__(self) -> None:
        self.held = 0

    async def hold(self) -> None:
        """Returns when a refusal may be sent. Whoever waits here should hold nothing else."""
        if self.held >= _MOST_HELD:
            return
        self.held += 1
        try:
            await asyncio.sleep(min((self.held - 1) / _PER_SECOND, _LONGEST_HELD))
        finally:
            self.held -= 1
