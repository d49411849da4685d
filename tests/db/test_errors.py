"""Tests the error codes of real failures of the database."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from config import Settings
from db.errors import constraint_error, failure
from db.pool import Database


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(database_url):
    """Yields two connections to a database with a table of two rows."""
    first, second = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    await first.execute("CREATE TABLE counted (id integer PRIMARY KEY, n integer); INSERT INTO counted VALUES (1, 0), (2, 0)")
    yield first, second
    await first.close()
    await second.close()


def code(error):
    assert constraint_error(error) is None
    known = failure(error)
    assert known is None or known[1].endswith(".")
    return known and known[0]


async def test_a_deadlock_is_a_conflict(pair):
    update = "UPDATE counted SET n = n + 1 WHERE id = $1"
    both = asyncio.Barrier(2)

    async def count(connection, *ids):
        async with connection.transaction():
            await connection.execute("SET LOCAL deadlock_timeout = '10ms'")
            await connection.execute(update, ids[0])
            await both.wait()
            await connection.execute(update, ids[1])

    answers = await asyncio.gather(count(pair[0], 1, 2), count(pair[1], 2, 1), return_exceptions=True)
    assert sorted(code(each) for each in answers if each is not None) == ["CONFLICT"]


async def test_a_serialization_failure_is_a_conflict(pair):
    first, second = pair
    with pytest.raises(asyncpg.SerializationError) as raised:  # noqa: PT012 - the order is what is tested
        async with first.transaction(isolation="repeatable_read"):
            await first.fetch("SELECT * FROM counted")
            await second.execute("UPDATE counted SET n = n + 1")
            await first.execute("UPDATE counted SET n = n + 1")
    assert code(raised.value) == "CONFLICT"


async def test_a_lock_that_is_not_to_be_had_is_a_conflict(pair):
    first, second = pair
    async with first.transaction():
        await first.execute("LOCK TABLE counted")
        with pytest.raises(asyncpg.LockNotAvailableError) as raised:
            await second.execute("SET lock_timeout = '20ms'; SELECT * FROM counted")
    assert code(raised.value) == "CONFLICT"


async def test_a_table_that_changes_during_a_transaction_is_a_conflict(pair):
    first, second = pair
    statement = "SELECT * FROM counted"
    await first.fetch(statement)
    async with first.transaction():
        await second.execute("ALTER TABLE counted ADD COLUMN note text")
        with pytest.raises(asyncpg.InvalidCachedStatementError) as raised:
            await first.fetch(statement)
    assert code(raised.value) == "CONFLICT"


async def test_what_takes_too_long_is_a_timeout(pair, database_url):
    with pytest.raises(asyncpg.QueryCanceledError) as raised:
        await pair[0].execute("SET statement_timeout = '20ms'; SELECT pg_sleep(5)")
    assert code(raised.value) == "QUERY_TIMEOUT"
    with pytest.raises(TimeoutError) as late:
        await pair[1].execute("SELECT pg_sleep(5)", timeout=0.02)
    assert code(late.value) == "QUERY_TIMEOUT"
    connection = await asyncpg.connect(database_url)
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    await connection.execute("SET idle_in_transaction_session_timeout = '20ms'; BEGIN")
    async with asyncio.timeout(10):
        await ended.wait()
    with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)) as idle:
        await connection.execute("SELECT 1")
    assert code(idle.value) in {"QUERY_TIMEOUT", "DATABASE_UNAVAILABLE"}


async def test_too_many_connections_are_an_outage(fresh_database_url):
    async with AsyncExitStack() as stack:
        first = await asyncpg.connect(fresh_database_url)
        stack.push_async_callback(first.close)
        role = f"few_{uuid4().hex}"
        await first.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0 PASSWORD 'few'")
        try:
            with pytest.raises(asyncpg.TooManyConnectionsError) as raised:
                await asyncpg.connect(fresh_database_url, user=role, password="few")
            assert code(raised.value) == "DATABASE_UNAVAILABLE"
        finally:
            await first.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://x@127.0.0.1:1/rollcall",
        "postgresql://x@localhost:1/rollcall",
        "postgresql://x@nowhere.invalid/rollcall",
        "postgresql://x@/rollcall?host=/there/is/no/such/folder",
    ],
)
async def test_a_database_that_cannot_be_reached_is_an_outage(url):
    database = await Database.open(Settings(environment="test", pool_min_size=0), url)
    try:
        with pytest.raises(OSError) as raised:  # noqa: PT011 - what it says is the system's business
            await database.fetchval("SELECT 1")
        assert code(raised.value) == "DATABASE_UNAVAILABLE"
    finally:
        await database.close()


async def test_a_standby_is_an_outage_for_who_writes(pair):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError) as raised:
        async with pair[0].transaction(readonly=True):
            await pair[0].execute("UPDATE counted SET n = 1")
    assert code(raised.value) == "DATABASE_UNAVAILABLE"


async def test_values_that_cannot_be_stored_are_the_clients(pair):
    with pytest.raises(asyncpg.DataError) as raised:
        await pair[0].fetchval("SELECT $1::integer", 2**40)
    assert code(raised.value) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "bug", [KeyError("a"), asyncpg.InterfaceError("cannot perform operation: another operation is in progress"), ValueError()]
)
def test_a_bug_is_none_of_these(bug):
    assert code(bug) is None
