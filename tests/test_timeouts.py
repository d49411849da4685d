"""Tests QUERY_TIMEOUT over HTTP: a whole request gets a 504, a field an error in a 200, and nothing is written."""

import asyncio
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from tests.in_process_server import serving

NEW = "application/graphql-response+json"
QUERY = "{ subjects(first: 1) { nodes { code } } }"
CREATE = """mutation ($code: String!) {
    createSubject(input: {code: $code, name: "Too late"}) { subject { code } userErrors { code } }
}"""
# Long enough for all other requests to be answered, and short enough to wait for.
BOUND = 1.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(demo_url):
    async with serving(demo_url, query_seconds=BOUND) as client:
        yield client


@pytest_asyncio.fixture
async def token(client):
    """Returns a token that no request has used yet, so that its viewer has to be read from the database."""
    return await client.token("admin@demo.school")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(demo_url):
    connection = await asyncpg.connect(demo_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def locked(other, table):
    """Locks a table while the block runs, so that statements on it exceed their timeout."""
    async with asyncio.timeout(30), other.transaction():
        await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def traces(other, code):
    """Returns the effects of the mutation: the subject, and the audit entries about subjects."""
    return await other.fetchrow(
        "SELECT (SELECT count(*) FROM subjects WHERE code = $1), (SELECT count(*) FROM audit_logs WHERE table_name = 'subjects')", code
    )


def code_of(answer):
    [error] = answer.json()["errors"]
    return error["extensions"]["code"]


@pytest.mark.parametrize("accept", ["application/json", NEW])
async def test_a_request_that_cannot_begin_in_time_is_504(client, token, other, accept):
    began = asyncio.get_running_loop().time()
    async with locked(other, "sessions"):
        answer = await client.post(QUERY, token=token, headers={"accept": accept})
    assert asyncio.get_running_loop().time() - began >= BOUND
    assert (answer.status_code, answer.headers["content-type"]) == (504, f"{accept}; charset=utf-8")
    assert code_of(answer) == "QUERY_TIMEOUT"
    assert "data" not in answer.json(), "nothing was carried out"
    assert answer.headers["cache-control"] == "no-store"
    assert (await client.data(QUERY, token=token))["subjects"]["nodes"], "the token is as good as it was"


async def test_a_mutation_that_cannot_begin_in_time_is_504_and_writes_nothing(client, token, other):
    subjects, audits = await traces(other, "LATE1")
    async with locked(other, "sessions"):
        answer = await client.post(CREATE, token=token, variables={"code": "LATE1"})
    assert (answer.status_code, code_of(answer)) == (504, "QUERY_TIMEOUT")
    assert "data" not in answer.json()
    assert tuple(await traces(other, "LATE1")) == (subjects, audits)
    assert (await client.data(CREATE, token=token, code="LATE1"))["createSubject"]["userErrors"] == [], "its code was not taken"
    assert tuple(await traces(other, "LATE1")) == (subjects + 1, audits + 1)


async def test_a_field_that_takes_too_long_is_an_error_of_an_operation_that_ran(client, token, other):
    assert await client.data(QUERY, token=token)
    async with locked(other, "subjects"):
        answer = await client.post(f"query {{ viewer {{ role }} {QUERY[2:]}", token=token, headers={"accept": NEW})
    assert (answer.status_code, code_of(answer)) == (200, "QUERY_TIMEOUT")
    assert "data" in answer.json()
    assert (await client.data(QUERY, token=token))["subjects"]["nodes"]


@pytest.mark.parametrize("table", ["sessions", "subjects", "audit_logs"])
async def test_a_mutation_that_takes_too_long_leaves_nothing_behind(client, token, other, table):
    """Checks this for each of its statements that may wait: the check of the viewer, the write, and the trigger that writes the audit entry."""
    code = f"SLOW{table[:2].upper()}"
    assert await client.data(QUERY, token=token)
    subjects, audits = await traces(other, code)
    async with locked(other, table):
        answer = await client.post(CREATE, token=token, variables={"code": code}, headers={"accept": NEW})
    assert (answer.status_code, code_of(answer)) == (200, "QUERY_TIMEOUT")
    assert (answer.json()["data"] or {}).get("createSubject") is None
    assert tuple(await traces(other, code)) == (subjects, audits)
    # The connection whose statement was cancelled can be used again, and nothing waits on it.
    assert (await client.data(CREATE, token=token, code=code))["createSubject"]["userErrors"] == []
    assert tuple(await traces(other, code)) == (subjects + 1, audits + 1)


async def test_the_statement_that_took_too_long_is_gone_from_the_server(client, token, other):
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with locked(other, "sessions"):
        assert (await client.post(QUERY, token=token)).status_code == 504
        while await other.fetchval(waiting):
            await asyncio.sleep(0.02)
