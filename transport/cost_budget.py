"""Limits the cost of each client's operations per minute, with token buckets in this process's memory.

A bucket holds a minute's points and is refilled continuously. A request pays the cost of its operation before it runs; one that the bucket cannot
pay is refused with COST_BUDGET_EXCEEDED (429) and the number of seconds until it can. An operation that is refused later, as OVERLOADED, gets its
points back. Each server process has its own buckets, so a client whose requests are spread over several processes has a budget in each.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import NamedTuple

from execution.errors import Refusal

__all__ = ["Charge", "CostBudgets"]

# Above this number the least recently used bucket is forgotten. Most of those are full again, so that forgetting them changes nothing.
_MOST_BUCKETS = 20_000
# In points: a client that returns exactly when it was told to must not be refused because of floating-point rounding.
_ROUNDING = 0.001


class Charge(NamedTuple):
    """Holds what a request has paid, and what is left of its client's budget."""

    cost: int
    remaining: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"x-request-cost", b"%d" % self.cost), (b"x-cost-remaining", b"%d" % self.remaining)]


class CostBudgets:
    """Holds the budgets of all clients, `per_minute` points each. With 0 there is no limit. `now` returns seconds; at most `size` clients are kept."""

    __slots__ = ("_buckets", "_now", "_per_minute", "_per_second", "_size")

    def __init__(self, per_minute: int, *, now: Callable[[], float] = monotonic, size: int = _MOST_BUCKETS) -> None:
        self._per_minute = per_minute
        self._per_second = per_minute / 60
        self._now = now
        self._size = size
        # By client: the points that were left, and the time of that. Least recently used first.
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def charge(self, client: Hashable, cost: int) -> Charge | None:
        """Takes the cost from a client's budget. Returns None if budgets are off; raises a COST_BUDGET_EXCEEDED refusal if the budget is too low.

        An operation that costs more than a whole budget could never be paid, so it is let through when the bucket is full, and leaves a debt.
        """
        if self._per_minute == 0:
            return None
        now = self._now()
        left = self._left(client, now)
        needed = min(cost, self._per_minute)
        if left + _ROUNDING < needed:
            wait = math.ceil((needed - left) / self._per_second)
            raise Refusal(
                "COST_BUDGET_EXCEEDED",
                f"The operation costs {cost} points, and {int(left)} of the {self._per_minute} a minute are left. Try again in {wait} s.",
                retryAfter=wait,
                cost={"requested": cost, "remaining": max(0, int(left)), "limit": self._per_minute},
            )
        self._buckets[client] = (left - cost, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._size:
            self._buckets.popitem(last=False)
        return Charge(cost, max(0, int(left - cost)))

    def refund(self, client: Hashable, cost: int) -> None:
        """Returns the cost of an operation that was not executed to the client's budget."""
        if client in self._buckets:
            now = self._now()
            self._buckets[client] = (min(float(self._per_minute), self._left(client, now) + cost), now)

    def _left(self, client: Hashable, now: float) -> float:
        found = self._buckets.get(client)
        if found is None:
            return float(self._per_minute)
        left, then = found
        return min(float(self._per_minute), left + (now - then) * self._per_second)
