"""Defines the metrics and the events of the connection pool."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

__all__ = ["PoolEvents", "PoolMetrics"]

_log = structlog.get_logger("rollcall.pool")


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """The current state of the pool in connections; `waiting_count` is the number of requests waiting for one."""

    total_count: int
    idle_count: int
    waiting_count: int
    max_pool_size: int
    min_pool_size: int

    @property
    def utilization(self) -> str:
        """The connections in use as a percentage of the maximum, rounded to an integer: `"40%"`."""
        return f"{round(100 * (self.total_count - self.idle_count) / self.max_pool_size)}%"

    def to_json(self) -> dict[str, Any]:
        return {
            "totalCount": self.total_count,
            "idleCount": self.idle_count,
            "waitingCount": self.waiting_count,
            "maxPoolSize": self.max_pool_size,
            "minPoolSize": self.min_pool_size,
            "utilization": self.utilization,
        }


class PoolEvents:
    """The listeners for events of the pool. A listener gets the event's name: connect, acquire, release, remove or disk_full."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    def add_listener(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    def emit(self, event: str) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a failing listener must not affect requests or connections
                _log.error("a listener for pool events failed", pool_event=event, exc_info=error)
