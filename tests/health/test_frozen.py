"""Tests that requests are answered in time while every PostgreSQL process is stopped, so that connections are accepted but never answered."""

import asyncio
import time
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from db.embedded import EmbeddedServer
from db.migrate import migrate
from db.seed import seed
from tests.databases import SEED_DATE
from tests.gateways.stripe_events import SECRET, deliver, intent
from tests.health.postgres_processes import family, stopped
from tests.in_process_server import PASSWORD, serving
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

# The time that probes may take, with a margin for a machine that is busy with other tests.
WITHIN = 2.0
SLACK = 1.0
STUDENTS = "{ students(first: 1) { nodes { id } } }"
HEALTH = "{ systemHealth { status checks { database { status message } } database { status largestTables { table } } } }"
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }"


@pytest.fixture(scope="module")
def server():
    made = EmbeddedServer(reachable_folder("frozen"))
    made.start()
    migrate(made.url())
    seed(made.url(), "demo", SEED_DATE)
    yield made
    made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(server):
    async with serving(server.url(), pool_max_size=4, stripe_webhook_secrets=[SECRET]) as client:
        yield client


@pytest_asyncio.fixture
async def token(client):
    return await client.token("admin@demo.school")


@pytest_asyncio.fixture
async def well_after(client, token):
    """Asserts that everything works again after PostgreSQL does, with the same token."""
    yield
    async with asyncio.timeout(20):
        while "errors" in (await client.post(STUDENTS, token=token)).json():
            await asyncio.sleep(0.05)
        while (await client.http.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(10):
        while client.app.state.services.database.metrics().waiting_count:
            await asyncio.sleep(0.01)


async def timed(asking):
    began = time.monotonic()
    answer = await asking
    assert time.monotonic() - began < WITHIN + SLACK
    return answer


def codes(answer):
    return {each["extensions"]["code"] for each in answer.json().get("errors", [])}


async def test_system_health_answers_in_time_for_a_viewer_who_is_known(client, server, token, well_after):
    assert (await client.data(HEALTH, token=token))["systemHealth"]["status"] == "healthy"
    async with stopped(family(server)):
        answer = await timed(client.post(HEALTH, token=token))
        assert answer.status_code == 200
        health = answer.json()["data"]["systemHealth"]
        assert (health["status"], health["checks"]["database"]["status"]) == ("unhealthy", "unhealthy")
        assert health["database"] == {"status": "unhealthy", "largestTables": []}


async def test_system_health_is_refused_in_time_for_one_who_must_be_looked_up(client, server, token, well_after):
    async with stopped(family(server)):
        answer = await timed(client.post(HEALTH, token=token))
        assert (answer.status_code, codes(answer)) == (503, {"DATABASE_UNAVAILABLE"})
        again = await client.post(HEALTH, token=token)
        assert (again.status_code, codes(again)) == (503, {"DATABASE_UNAVAILABLE"})


async def test_every_request_is_answered_in_time_however_many_there_are(client, server, token, well_after):
    """Checks more requests than there are connections: those that wait for a connection take no longer than those that have one."""
    await client.data(STUDENTS, token=token)
    async with stopped(family(server)):
        answers = await timed(asyncio.gather(*(client.post(STUDENTS, token=token) for _ in range(20))))
        assert {frozenset(codes(each)) for each in answers} == {frozenset({"DATABASE_UNAVAILABLE"})}


async def test_signing_in_and_webhooks_are_answered_in_time(client, server, well_after):
    async with stopped(family(server)):
        sign_in, webhook = await timed(
            asyncio.gather(
                client.post(SIGN_IN, variables={"input": {"email": "admin@demo.school", "password": PASSWORD}}),
                deliver(client, intent(str(uuid4()), 1_000)),
            )
        )
        assert codes(sign_in) == {"DATABASE_UNAVAILABLE"}
        assert webhook == (503, "DATABASE_UNAVAILABLE"), "the gateway tries again"


async def test_a_mutation_under_way_ends_and_nothing_of_it_stays(client, server, token, well_after):
    create = 'mutation { createSubject(input: {code: "FROZEN", name: "Frozen"}) { subject { code } userErrors { code } } }'
    locking = await asyncpg.connect(server.url())
    async with locking.transaction():
        await locking.execute("LOCK TABLE subjects IN ACCESS EXCLUSIVE MODE")
        writing = asyncio.create_task(client.post(create, token=token))
        while not await locking.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
        async with stopped(family(server)):
            assert codes(await timed(writing)) == {"DATABASE_UNAVAILABLE"}
    # Its connection was closed before PostgreSQL could answer, and therefore before there was anything to commit.
    async with asyncio.timeout(20):
        while await locking.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE '%insert into subjects%' AND pid <> pg_backend_pid() AND state <> 'idle'"
        ):
            await asyncio.sleep(0.05)
    assert await locking.fetchval("SELECT count(*) FROM subjects WHERE code = 'FROZEN'") == 0
    await locking.close()


async def test_a_statement_that_takes_long_is_no_silence(client):
    database = client.app.state.services.database
    assert await database.fetchval("SELECT 1 FROM pg_sleep(2.5)") == 1
    async with database.transaction() as connection:
        for _ in range(6):
            await connection.fetchval("SELECT 1 FROM pg_sleep(0.4)")


async def test_the_server_stops_in_time_while_postgresql_is_silent(server):
    async with asyncio.timeout(60):
        async with serving(server.url(), pool_max_size=4) as client:
            token = await client.token("admin@demo.school")
            await client.data(STUDENTS, token=token)
            stop = stopped(family(server))
            await stop.__aenter__()
            began = time.monotonic()
        took = time.monotonic() - began
        await stop.__aexit__(None, None, None)
    assert took < 5
