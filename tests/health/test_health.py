"""Tests the health routes over HTTP, with a PostgreSQL that is stopped, killed and restarted."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from datetime import datetime

import psutil
import pytest
import pytest_asyncio

from db.embedded import EmbeddedServer
from db.migrate import migrate
from db.rollback import rollback
from db.seed import seed
from tests.databases import SEED_DATE
from tests.health.postgres_processes import family, stopped
from tests.in_process_server import serving
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

PREFIXES = ["", "/api/v1"]


@pytest.fixture(scope="module")
def server():
    folder = reachable_folder("health")
    made = EmbeddedServer(folder)  # durable, because acknowledged writes must survive a kill
    made.start()
    migrate(made.url())
    seed(made.url(), "demo", SEED_DATE)
    yield made
    made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(server):
    async with serving(server.url(), pool_acquire_seconds=0.5) as client:
        yield client


async def ready(client):
    """Returns the response of the readiness probe, which must arrive within two seconds."""
    began = time.monotonic()
    answer = await client.http.get("/health/ready")
    assert time.monotonic() - began < 2.0
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["status"] == {200: "ready", 503: "not_ready"}[answer.status_code]
    assert ("reason" in answer.json()) == (answer.status_code == 503)
    return answer.status_code


async def until_ready(client, within=20):
    async with asyncio.timeout(within):
        while await ready(client) != 200:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_health_and_live_say_that_the_process_is_up(client, prefix):
    answer = await client.http.get(f"{prefix}/health")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["status", "timestamp", "uptime", "environment", "version"]
    assert (body["status"], body["environment"]) == ("healthy", "test")
    assert datetime.fromisoformat(body["timestamp"]).utcoffset().total_seconds() == 0
    live = (await client.http.get(f"{prefix}/health/live")).json()
    assert list(live) == ["status", "timestamp", "uptime"]
    assert live["status"] == "alive"
    assert live["uptime"] >= body["uptime"]


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_ready_when_the_database_answers(client, prefix):
    answer = await client.http.get(f"{prefix}/health/ready")
    assert (answer.status_code, list(answer.json())) == (200, ["status", "timestamp"])


@pytest.mark.parametrize("path", ["/health/detailed", "/health/database", "/api/v1/health/detailed", "/api/v1/health/database"])
async def test_the_guarded_routes_are_for_administrators_and_health_read(client, path):
    assert (await client.http.get(path)).status_code == 401
    assert (await client.http.get(path, headers={"authorization": "Bearer nonsense"})).status_code == 401
    for role, status in (("admin", 200), ("bursar", 403), ("teacher", 403), ("student", 403), ("guardian", 403)):
        token = await client.token(f"{role}@demo.school")
        answer = await client.http.get(path, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == status, role
        if status == 403:
            assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    made = await client.data(
        'mutation { createServiceToken(input: {name: "dashboard", scopes: [HEALTH_READ]}) { token userErrors { message } } }',
        token=await client.token("admin@demo.school"),
    )
    service = {"authorization": f"Bearer {made['createServiceToken']['token']}"}
    assert (await client.http.get(path, headers=service)).status_code == 200


DETAILED = {
    "status": str,
    "timestamp": str,
    "uptime": float,
    "environment": str,
    "version": str,
    "responseTime": float,
    "checks": {"database": {"status": str, "latency": float}, "api": {"status": str, "inFlight": int}},
    "pool": {"totalCount": int, "idleCount": int, "waitingCount": int, "maxPoolSize": int, "minPoolSize": int, "utilization": str},
    "system": {
        "memory": {"total": int, "used": int, "free": int, "usagePercent": float},
        "cpu": {"count": int, "usagePercent": float},
        "loadAverage": [float, float, float],
        "platform": {"os": str, "release": str, "architecture": str, "python": str},
    },
    "process": {
        "pid": int,
        "memory": {"rss": int, "heap": int, "external": int},
        "cpu": {"user": float, "system": float, "percent": float},
        "threads": int,
        "openFiles": int,
    },
}


def shape(value):
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value)


async def test_detailed_has_the_contracts_shape_and_true_figures(client):
    headers = {"authorization": f"Bearer {await client.token('admin@demo.school')}"}
    body = (await client.http.get("/health/detailed", headers=headers)).json()
    assert shape(body) == DETAILED
    assert (body["status"], body["process"]["pid"]) == ("healthy", os.getpid())
    assert 0 < body["process"]["memory"]["heap"] <= body["process"]["memory"]["rss"] <= body["system"]["memory"]["total"]
    assert body["system"]["cpu"]["count"] == psutil.cpu_count()
    assert body["system"]["cpu"]["usagePercent"] > 0, "not the 0.0 of a first reading"
    assert body["process"]["cpu"]["percent"] > 0
    assert body["pool"]["utilization"].endswith("%")


async def test_cpu_readings_follow_what_the_process_does():
    from health.system_metrics import SystemMetrics

    machine = SystemMetrics()
    assert machine.process_percent > 0
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    machine.sample()
    busy = machine.process_percent
    await asyncio.sleep(0.5)
    machine.sample()
    assert busy > machine.process_percent


async def test_database_has_the_contracts_shape(client):
    headers = {"authorization": f"Bearer {await client.token('admin@demo.school')}"}
    body = (await client.http.get("/health/database", headers=headers)).json()
    assert list(body) == [
        "status", "timestamp", "responseTime", "largestTables", "mostUsedIndexes", "activeConnections", "cacheHitRatio", "pool",
    ]  # fmt: skip
    assert len(body["largestTables"]) == len(body["mostUsedIndexes"]) == 10
    assert shape(body["largestTables"][0]) == {"table": str, "totalBytes": int, "tableBytes": int, "indexBytes": int, "rows": int}
    assert shape(body["mostUsedIndexes"][0]) == {"index": str, "table": str, "scans": int, "tuplesRead": int, "sizeBytes": int}
    assert shape(body["activeConnections"]) == {"total": int, "active": int, "idle": int, "idleInTransaction": int, "max": int}
    sizes = [each["totalBytes"] for each in body["largestTables"]]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 < body["cacheHitRatio"] <= 1
    assert body["activeConnections"]["total"] >= 1


async def test_not_ready_within_two_seconds_while_only_the_postmaster_is_stopped(client, server):
    async with stopped([psutil.Process(server.process.pid)]):
        assert await ready(client) == 503
        assert (await client.http.get("/health/live")).status_code == 200
    await until_ready(client)


async def test_not_ready_within_two_seconds_while_every_process_is_stopped(client, server):
    async with stopped(family(server)):
        assert await asyncio.gather(*(ready(client) for _ in range(20))) == [503] * 20
        assert (await client.http.get("/health")).status_code == 200
    await until_ready(client)


async def test_not_ready_while_the_pool_is_exhausted_and_ready_again_after(client):
    """Checks this both with and without a request that already waits, since the next one would have to."""
    database = client.app.state.services.database
    async with AsyncExitStack() as stack:
        for _ in range(database.metrics().max_pool_size):
            await stack.enter_async_context(database.acquire())
        assert await ready(client) == 503
        assert (await client.http.get("/health/ready")).json()["reason"] == "pool exhausted"
        assert (await client.http.get("/health/live")).status_code == 200
    assert await ready(client) == 200


async def test_a_pool_that_is_merely_busy_is_ready(client):
    """Checks a pool that always has waiters but also returns connections: taking the server out of service would only make others busier."""
    database = client.app.state.services.database
    stop = asyncio.Event()

    async def ask():
        while not stop.is_set():
            await database.execute("SELECT pg_sleep(0.02)")

    asking = [asyncio.create_task(ask()) for _ in range(2 * database.metrics().max_pool_size)]
    try:
        for _ in range(5):
            async with asyncio.timeout(5):
                while database.metrics().waiting_count == 0:
                    await asyncio.sleep(0)
            assert await ready(client) == 200
    finally:
        stop.set()
        await asyncio.gather(*asking)


async def test_a_flood_of_probes_takes_few_connections(client, server):
    database = client.app.state.services.database
    statement = "SELECT numbackends FROM pg_stat_database WHERE datname = current_database()"
    before = await database.fetchval(statement)
    probes = asyncio.gather(*(client.http.get("/health/ready") for _ in range(100)))
    most = before
    while not probes.done():
        most = max(most, await database.fetchval(statement))
    assert {answer.status_code for answer in await probes} == {200}
    assert await ready(client) == 200
    assert most <= before + 5


async def test_probes_of_a_silent_server_leave_nothing_open(client, server):
    process = psutil.Process()
    async with stopped(family(server)):
        assert await ready(client) == 503
        before = process.num_fds()
        for _ in range(3):
            assert await ready(client) == 503
        assert process.num_fds() <= before + 1
    await until_ready(client)


async def test_whoever_cannot_be_looked_up_is_told_so_in_time(client, server):
    made = await client.data(
        'mutation { createServiceToken(input: {name: "silent", scopes: [HEALTH_READ]}) { token userErrors { message } } }',
        token=await client.token("admin@demo.school"),
    )
    service = {"authorization": f"Bearer {made['createServiceToken']['token']}"}
    async with stopped(family(server)):
        began = time.monotonic()
        answers = await asyncio.gather(*(client.http.get(path, headers=service) for path in ("/health/detailed", "/health/database")))
        assert time.monotonic() - began < 4
        for answer in answers:
            assert answer.status_code == 503
            assert answer.json()["errors"][0]["extensions"]["code"] == "DATABASE_UNAVAILABLE"
    await until_ready(client)


async def test_not_ready_while_migrations_are_pending():
    folder = reachable_folder("pending")
    own = EmbeddedServer(folder, durable=False)
    own.start()
    try:
        migrate(own.url())
        async with serving(own.url()) as client:
            assert await ready(client) == 200
            rollback(own.url())
            assert await ready(client) == 503
            assert "migrations" in (await client.http.get("/health/ready")).json()["reason"]
            migrate(own.url())
            assert await ready(client) == 200
            client.app.state.services.health.draining = True
            assert (await client.http.get("/health/ready")).json()["reason"] == "draining"
            assert await ready(client) == 503
    finally:
        own.stop()


async def test_unhealthy_while_postgresql_is_killed_and_healthy_when_it_is_back(client, server):
    headers = {"authorization": f"Bearer {await client.token('admin@demo.school')}"}
    assert (await client.http.get("/health/detailed", headers=headers)).status_code == 200
    server.process.kill()
    server.process.wait()
    try:
        assert await ready(client) == 503
        # While revocations cannot be received, every token is looked up in the database, so that nobody is authenticated without one.
        guarded = await client.http.get("/health/detailed", headers=headers)
        assert guarded.status_code == 503
    finally:
        server.stop()
        server.start()
    await until_ready(client)
    async with asyncio.timeout(20):
        while (await client.http.get("/health/detailed", headers=headers)).json().get("status") != "healthy":
            await asyncio.sleep(0.1)


FIELD = """{ systemHealth {
  status timestamp uptime environment version responseTime
  checks { database { status latency message } api { status inFlight } }
  pool { totalCount idleCount waitingCount maxPoolSize minPoolSize utilization }
  system { memory { total used free usagePercent } cpu { count usagePercent } loadAverage platform { os release architecture python } }
  process { pid memory { rss heap external } cpu { user system percent } threads openFiles }
  database { status largestTables { table totalBytes rows } mostUsedIndexes { index scans } activeConnections { total max } cacheHitRatio pool { utilization } }
} }"""


async def test_the_field_tells_administrators_the_same_facts(client):
    headers = {"authorization": f"Bearer {await client.token('admin@demo.school')}"}
    route = (await client.http.get("/health/detailed", headers=headers)).json()
    field = (await client.data(FIELD, token=await client.token("admin@demo.school")))["systemHealth"]
    database = field.pop("database")
    assert len(database["largestTables"]) == 10
    del field["checks"]["database"]["message"]
    assert shape(field) == shape(route)
    for name in ("status", "environment", "version"):
        assert field[name] == route[name]


@pytest.mark.parametrize("role", ["bursar", "teacher", "student", "guardian"])
async def test_others_see_status_and_timestamp_alone(client, role):
    token = await client.token(f"{role}@demo.school")
    plain = await client.data("{ systemHealth { status timestamp } }", token=token)
    assert plain["systemHealth"]["status"] == "healthy"
    answer = (await client.post("{ systemHealth { status pool { totalCount } process { pid } database { status } } }", token=token)).json()
    assert answer["data"]["systemHealth"] == {"status": "healthy", "pool": None, "process": None, "database": None}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}


async def test_without_a_token_the_field_is_unauthenticated(client):
    answer = (await client.post("{ systemHealth { status } }")).json()
    assert answer["data"]["systemHealth"] is None
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
