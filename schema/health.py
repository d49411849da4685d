"""`systemHealth`: the facts of the health routes as GraphQL types, from the same code."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability, has_capability
from execution.costs import COST
from execution.errors import Refusal
from health import report
from health.checks import Health, now
from schema.roots import query_fields, root
from schema.scalars import BigInt

__all__ = ["HealthQueries", "SystemHealth"]


@strawberry.type(description="The database connection pool of the answering process.")
class PoolHealth:
    total_count: int = strawberry.field(description="Open connections.")
    idle_count: int = strawberry.field(description="Idle connections.")
    waiting_count: int = strawberry.field(description="Requests waiting for a connection.")
    max_pool_size: int = strawberry.field(description="The maximum number of connections.")
    min_pool_size: int = strawberry.field(description="The minimum number of connections.")
    utilization: str = strawberry.field(description="Connections in use, as a percentage of the maximum, such as 40%.")


@strawberry.type(description="The health of the database.")
class DatabaseCheck:
    status: str = strawberry.field(description="The status: healthy, degraded or unhealthy.")
    latency: float = strawberry.field(description="The response time, in milliseconds.")
    message: str | None = strawberry.field(description="The problem.")


@strawberry.type(description="The health of the server.")
class ApiCheck:
    status: str = strawberry.field(description="The status: healthy, or degraded while the server is draining.")
    in_flight: int = strawberry.field(description="Requests being answered.")


@strawberry.type(description="The checks.")
class HealthChecks:
    database: DatabaseCheck = strawberry.field(description="The database.")
    api: ApiCheck = strawberry.field(description="The server.")


@strawberry.type(description="The machine's memory, in bytes.")
class MachineMemory:
    total: BigInt = strawberry.field(description="The total.")
    used: BigInt = strawberry.field(description="In use.")
    free: BigInt = strawberry.field(description="Available without swapping.")
    usage_percent: float = strawberry.field(description="The used part, as a percentage.")


@strawberry.type(description="The machine's processors.")
class MachineCpu:
    count: int = strawberry.field(description="The number.")
    usage_percent: float = strawberry.field(description="The recent load, as a percentage of all processors.")


@strawberry.type(description="The machine that the server runs on.")
class MachinePlatform:
    os: str = strawberry.field(description="Operating system.")
    release: str = strawberry.field(description="The release of the operating system.")
    architecture: str = strawberry.field(description="The processors' architecture.")
    python: str = strawberry.field(description="Python's version.")


@strawberry.type(description="The machine.")
class MachineHealth:
    memory: MachineMemory = strawberry.field(description="Its memory.")
    cpu: MachineCpu = strawberry.field(description="Its processors.")
    load_average: list[float] = strawberry.field(description="The load averages over 1, 5 and 15 minutes.")
    platform: MachinePlatform = strawberry.field(description="The operating system.")


@strawberry.type(description="The process's memory, in bytes.")
class ProcessMemory:
    rss: BigInt = strawberry.field(description="Resident.")
    heap: BigInt = strawberry.field(
        description="The unique set size: the memory that would be freed if the process ended. Named for compatibility."
    )
    external: BigInt = strawberry.field(description="The shared memory. Named for compatibility.")


@strawberry.type(description="The CPU use of the process.")
class ProcessCpu:
    user: float = strawberry.field(description="CPU seconds in user mode.")
    system: float = strawberry.field(description="CPU seconds in system mode.")
    percent: float = strawberry.field(description="The recent load, as a percentage of one processor.")


@strawberry.type(description="The answering process.")
class ProcessHealth:
    pid: int = strawberry.field(description="The process id.")
    memory: ProcessMemory = strawberry.field(description="Its memory.")
    cpu: ProcessCpu = strawberry.field(description="The CPU use.")
    threads: int = strawberry.field(description="Its threads.")
    open_files: int = strawberry.field(description="Its open files and sockets.")


@strawberry.type(description="A table's size, in bytes.")
class TableSize:
    table: str = strawberry.field(description="The table.")
    total_bytes: BigInt = strawberry.field(description="With its indexes.")
    table_bytes: BigInt = strawberry.field(description="Without its indexes.")
    index_bytes: BigInt = strawberry.field(description="Its indexes.")
    rows: BigInt = strawberry.field(description="PostgreSQL's estimate of its rows.")


@strawberry.type(description="The use of an index.")
class IndexUse:
    index: str = strawberry.field(description="The index.")
    table: str = strawberry.field(description="Its table.")
    scans: BigInt = strawberry.field(description="The number of scans.")
    tuples_read: BigInt = strawberry.field(description="The number of entries read.")
    size_bytes: BigInt = strawberry.field(description="Its size in bytes.")


@strawberry.type(description="The states of the connections to PostgreSQL.")
class ActiveConnections:
    total: int = strawberry.field(description="All.")
    active: int = strawberry.field(description="Connections running a statement.")
    idle: int = strawberry.field(description="Idle connections.")
    idle_in_transaction: int = strawberry.field(description="Connections idle in a transaction.")
    max: int = strawberry.field(description="The maximum number of connections.")


@strawberry.type(description="Facts reported by PostgreSQL.")
class DatabaseHealth:
    status: str = strawberry.field(description="The status: healthy, degraded or unhealthy.")
    timestamp: datetime = strawberry.field(description="When.")
    response_time: float = strawberry.field(description="The time taken by the check, in milliseconds.")
    largest_tables: list[TableSize] = strawberry.field(description="The ten largest tables.")
    most_used_indexes: list[IndexUse] = strawberry.field(description="The ten most scanned indexes.")
    active_connections: ActiveConnections | None = strawberry.field(description="Null if PostgreSQL does not respond.")
    cache_hit_ratio: float | None = strawberry.field(description="The buffer cache hit ratio, 0 to 1.")
    pool: PoolHealth = strawberry.field(description="This process's connections.")


class _Asked:
    """The facts of one request, each found out once."""

    def __init__(self, health: Health) -> None:
        self.health = health
        self.began = asyncio.get_running_loop().time()
        self.timestamp = now()
        self._found: dict[str, asyncio.Task[Any]] = {}

    async def once(self, name: str, find: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        if name not in self._found:
            self._found[name] = asyncio.ensure_future(find())
        return await asyncio.shield(self._found[name])


def _may_read(info: Info) -> None:
    if not has_capability(info.context.viewer, Capability.READ_HEALTH):
        raise Refusal("FORBIDDEN", "You may not see this field of this object.")


@strawberry.type(
    description="The health of the server and its database. All fields except `status` and `timestamp` are for administrators"
    " and tokens with the scope `health:read`."
)
class SystemHealth:
    @strawberry.field(metadata={COST: 500}, description="The status: healthy, degraded or unhealthy.")
    async def status(self: Any) -> str:
        return str(await self.once("status", self.health.status))

    timestamp: datetime = strawberry.field(description="When.")

    @strawberry.field(description="The uptime of the process, in seconds.")
    async def uptime(self: Any, info: Info) -> float | None:
        _may_read(info)
        return float(self.health.uptime)

    @strawberry.field(description="The environment: development, test or production.")
    async def environment(self: Any, info: Info) -> str | None:
        _may_read(info)
        return str(self.health.environment)

    @strawberry.field(description="The server's version.")
    async def version(self: Any, info: Info) -> str | None:
        _may_read(info)
        return str(self.health.version)

    @strawberry.field(metadata={COST: 1_000}, description="The time taken so far, in milliseconds.")
    async def response_time(self: Any, info: Info) -> float | None:
        _may_read(info)
        await self.once("checks", self.health.checks)
        return float(round((asyncio.get_running_loop().time() - self.began) * 1000, 2))

    @strawberry.field(metadata={COST: 1_000}, description="The checks.")
    async def checks(self: Any, info: Info) -> HealthChecks | None:
        _may_read(info)
        return await self.once("checks", self.health.checks)  # type: ignore[no-any-return]  # a report has the type's attributes

    @strawberry.field(description="The pool of database connections.")
    async def pool(self: Any, info: Info) -> PoolHealth | None:
        _may_read(info)
        return self.health.pool()  # type: ignore[no-any-return]  # a report has the type's attributes

    @strawberry.field(metadata={COST: 100}, description="The machine.")
    async def system(self: Any, info: Info) -> MachineHealth | None:
        _may_read(info)
        return self.health.system()  # type: ignore[no-any-return]  # a report has the type's attributes

    @strawberry.field(metadata={COST: 800}, description="The answering process.")
    async def process(self: Any, info: Info) -> ProcessHealth | None:
        _may_read(info)
        # It reads the memory maps of the process, which takes longer the more there are.
        return await self.once("process", lambda: asyncio.to_thread(self.health.process))  # type: ignore[no-any-return]  # a report has the type's attributes

    @strawberry.field(metadata={COST: 2_000}, description="Facts reported by PostgreSQL.")
    async def database(self: Any, info: Info) -> DatabaseHealth | None:
        _may_read(info)
        found: report.DatabaseReport = await self.once("database", self.health.database)
        return found  # type: ignore[return-value]  # a report has the type's attributes


@query_fields
class HealthQueries:
    @root(Capability.SEE_STATUS, description="The health of the server and its database.")
    async def system_health(self, info: Info) -> SystemHealth | None:
        return _Asked(info.context.services.health)  # type: ignore[return-value]  # it has the type's attributes
