"""Defines the data of a health report. Sizes are in bytes, durations in milliseconds, `uptime` is in seconds, times are in UTC."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from db.naming import camel
from db.pool import PoolMetrics

__all__ = [
    "ActiveConnections",
    "ApiCheck",
    "Checks",
    "Cpu",
    "DatabaseCheck",
    "DatabaseReport",
    "Detailed",
    "IndexUse",
    "Memory",
    "Platform",
    "Process",
    "ProcessCpu",
    "ProcessMemory",
    "System",
    "TableSize",
    "to_json",
]

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    status: str
    latency: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ApiCheck:
    status: str
    in_flight: int


@dataclass(frozen=True, slots=True)
class Checks:
    database: DatabaseCheck
    api: ApiCheck


@dataclass(frozen=True, slots=True)
class Memory:
    total: int
    used: int
    free: int
    usage_percent: float


@dataclass(frozen=True, slots=True)
class Cpu:
    count: int
    usage_percent: float


@dataclass(frozen=True, slots=True)
class Platform:
    os: str
    release: str
    architecture: str
    python: str


@dataclass(frozen=True, slots=True)
class System:
    memory: Memory
    cpu: Cpu
    load_average: list[float]
    platform: Platform


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """The memory of this process. `heap` is the unique set size, `external` the shared part."""

    rss: int
    heap: int
    external: int


@dataclass(frozen=True, slots=True)
class ProcessCpu:
    user: float
    system: float
    percent: float


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    memory: ProcessMemory
    cpu: ProcessCpu
    threads: int
    open_files: int


@dataclass(frozen=True, slots=True)
class Detailed:
    status: str
    timestamp: datetime
    uptime: float
    environment: str
    version: str
    response_time: float
    checks: Checks
    pool: PoolMetrics
    system: System
    process: Process


@dataclass(frozen=True, slots=True)
class TableSize:
    table: str
    total_bytes: int
    table_bytes: int
    index_bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class IndexUse:
    index: str
    table: str
    scans: int
    tuples_read: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ActiveConnections:
    total: int
    active: int
    idle: int
    idle_in_transaction: int
    max: int


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """Holds PostgreSQL's own statistics; lists and numbers are empty if it does not answer. `rows` are its estimates."""

    status: str
    timestamp: datetime
    response_time: float
    largest_tables: list[TableSize]
    most_used_indexes: list[IndexUse]
    active_connections: ActiveConnections | None
    cache_hit_ratio: float | None
    pool: PoolMetrics


def to_json(value: Any) -> Any:
    """A report as JSON values, names in camelCase. A `message` that is None is left out."""
    if isinstance(value, PoolMetrics):
        return value.to_json()
    if is_dataclass(value):
        return {
            camel(each.name): to_json(getattr(value, each.name))
            for each in fields(value)
            if not (each.name == "message" and getattr(value, each.name) is None)
        }
    if isinstance(value, list):
        return [to_json(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
