"""Tests the pool on a real PostgreSQL."""

import asyncio
from contextlib import AsyncExitStack, suppress
from functools import partial

import asyncpg
import pytest

from config import Settings
from db.pool import Database, PoolTimeoutError, pool_metrics
from tests.polling import until

settings = partial(Settings, environment="test")


async def test_the_seeds_sizes_are_the_defaults():
    given = settings()
    assert (given.pool_max_size, given.pool_min_size, given.pool_idle_seconds, given.pool_acquire_seconds, given.query_seconds) == (
        25,
        5,
        60,
        10,
        30,
    )


async def test_the_minimum_stays_warm_and_the_rest_is_closed_when_idle(database_url):
    database = await Database.open(settings(pool_min_size=3, pool_max_size=8, pool_idle_seconds=0.3), database_url)
    try:
        assert database.metrics().total_count == 3
        async with AsyncExitStack() as stack:
            for _ in range(8):
                await stack.enter_async_context(database.acquire())
            assert database.metrics().total_count == 8
        await until(lambda: database.metrics().total_count == 3)
        await asyncio.sleep(1.0)  # three more idle timeouts, in which asyncpg's timer alone would have closed them
        assert (database.metrics().total_count, database.metrics().idle_count) == (3, 3)
    finally:
        await database.close()


async def test_who_waits_comes_before_who_comes_later(database_url):
    """Checks that a task that releases a connection and immediately acquires one again does not overtake waiters forever."""
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1, pool_acquire_seconds=5), database_url)
    asked, stop = 0, False

    async def ask_again_and_again():
        nonlocal asked
        while not stop:
            await database.fetchval("SELECT 1")
            asked += 1

    try:
        greedy = asyncio.create_task(ask_again_and_again())
        await until(lambda: asked > 5)
        for _ in range(5):
            before = asked
            assert await database.fetchval("SELECT 7") == 7
            assert asked - before <= 2
        stop = True
        await greedy
    finally:
        await database.close()


async def test_metrics_count_users_and_waiters(database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=2, pool_acquire_seconds=5), database_url)
    try:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(database.acquire())
            waiting = asyncio.create_task(database.fetchval("SELECT 7"))
            await until(lambda: database.metrics().waiting_count == 1)
            assert database.metrics().to_json() == {
                "totalCount": 2,
                "idleCount": 0,
                "waitingCount": 1,
                "maxPoolSize": 2,
                "minPoolSize": 1,
                "utilization": "100%",
            }
        assert await waiting == 7
        assert database.metrics().waiting_count == 0
        assert database.metrics().utilization == "0%"
    finally:
        await database.close()


async def test_the_figures_are_those_of_the_pool_that_is_open(database_url):
    first = await Database.open(settings(pool_min_size=1, pool_max_size=3), database_url)
    second = await Database.open(settings(pool_min_size=2, pool_max_size=4), database_url)
    assert pool_metrics() == {
        "totalCount": 2,
        "idleCount": 2,
        "waitingCount": 0,
        "maxPoolSize": 4,
        "minPoolSize": 2,
        "utilization": "0%",
    }
    await second.close()
    assert pool_metrics()["maxPoolSize"] == 3
    await first.close()
    with suppress(LookupError):  # another test's school may be open
        assert pool_metrics()["maxPoolSize"] != 3


async def test_there_is_room_when_a_connection_is_free_or_comes_back(database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), database_url)
    try:
        assert await database.has_free_connection(0)
        async with database.acquire():
            assert not await database.has_free_connection(0.05)
            asked = asyncio.create_task(database.has_free_connection(10))
            await asyncio.sleep(0)
        assert await asked
    finally:
        await database.close()


async def test_waiting_ends_with_a_clear_error_and_the_pool_goes_on(database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1, pool_acquire_seconds=0.2), database_url)
    try:
        async with database.acquire():
            with pytest.raises(PoolTimeoutError):
                await database.fetchval("SELECT 1")
        assert await database.fetchval("SELECT 1") == 1
        assert database.metrics().waiting_count == 0
    finally:
        await database.close()


async def test_listeners_hear_connect_acquire_release_and_remove(database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=2), database_url)
    heard = []
    database.events.add_listener(heard.append)
    async with database.acquire() as first, database.acquire():
        await first.execute("SELECT 1")
    assert heard.count("connect") == 1
    assert heard.count("acquire") == heard.count("release") == 2
    await database.close()
    await until(lambda: heard.count("remove") == 2)


async def test_a_listener_that_fails_costs_no_request_and_no_connection(database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1, pool_acquire_seconds=0.5), database_url)
    heard = []

    def fails(event):
        raise RuntimeError(event)

    database.events.add_listener(fails)
    database.events.add_listener(heard.append)
    try:
        for _ in range(3):
            assert await database.fetchval("SELECT 1") == 1
        assert heard == ["acquire", "release"] * 3
    finally:
        await database.close()


async def test_a_statement_is_bounded_on_the_server_too(database_url):
    database = await Database.open(settings(pool_min_size=1, query_seconds=0.3), database_url)
    try:
        for name, value in (("statement_timeout", "300ms"), ("application_name", "rollcall"), ("TimeZone", "UTC")):
            assert await database.fetchval(f"SHOW {name}") == value
        with pytest.raises((TimeoutError, asyncpg.QueryCanceledError)):
            await database.execute("SELECT pg_sleep(5)")
        assert await database.fetchval("SELECT 1") == 1
    finally:
        await database.close()


async def test_nothing_of_a_transaction_stays_in_the_connection(database_url):
    from uuid import uuid4

    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), database_url)
    user = uuid4()
    try:
        async with database.transaction(user_id=user, request_id="r-1") as connection:
            assert await connection.fetchrow("SELECT acting_user(), acting_request()") == (user, "r-1")
        assert tuple(await database.fetchrow("SELECT acting_user(), acting_request()")) == (None, None)
        async with database.acquire() as connection:
            await connection.execute("SET search_path = nowhere; SELECT pg_advisory_lock(1)")
        assert await database.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0
        assert await database.fetchval("SHOW search_path") == '"$user", public'
    finally:
        await database.close()


async def test_json_comes_and_goes_as_values(database_url):
    database = await Database.open(settings(pool_min_size=1), database_url)
    try:
        assert await database.fetchval("SELECT $1::jsonb", {"a": [1, None, "ü"]}) == {"a": [1, None, "ü"]}
    finally:
        await database.close()
