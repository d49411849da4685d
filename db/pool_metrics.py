"""What is told of the pool: its figures, and its events."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

__all__ = ["PoolEvents", "PoolMetrics"]

_log = structlog.get_logger("rollcall.pool")


@dataclass(frozen=True, slots=True)
class PoolMetrics:
    """The pool as it is now, in connections; `waiting_count` in requests that wait for one."""

    total_count: int
    idle_count: int
    waiting_count: int
    max_pool_size: int
    min_pool_size: int

    @property
    def utilization(self) -> str:
        """How much of the most that may be open is in use, in whole percent: `"40%"`."""
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
    """Who wants to know what happens in the pool. A listener takes the event's name: connect, acquire, release, remove or full (the disk)."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    def add_listener(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    def emit(self, event: str) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener's failure must cost no request and no connection; it is logged
                _log.error("a listener of the pool failed", pool_event=event, exc_info=error)
