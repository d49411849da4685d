"""The pool on a real PostgreSQL."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from config import Settings
from db.embedded import EmbeddedServer
from db.pool import Database, PoolTimeoutError
from tests.folders import reachable_folder


async def until(condition, within=15):
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


async def ask_for_ever(database):
    async with asyncio.timeout(15):
        while True:
            await database.fetchval("SELECT 1")
            await asyncio.sleep(0.01)


def settings(**given):
    return Settings(environment="test", **given)


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
        await asyncio.gather(*(database.execute("SELECT pg_sleep(0.05)") for _ in range(8)))
        assert database.metrics().total_count == 8
        await until(lambda: database.metrics().total_count == 3)
        await asyncio.sleep(1.0)  # three idle times more: asyncpg's timer alone would have closed them
        assert (database.metrics().total_count, database.metrics().idle_count) == (3, 3)
    finally:
        await database.close()


async def test_warm_connections_that_the_server_closes_are_opened_again(database_url):
    database = await Database.open(settings(pool_min_size=3, pool_max_size=8), database_url, warm_every=0.1)
    try:
        outside = await asyncpg.connect(database_url)
        await outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rollcall' AND datname = current_database()"
        )
        await outside.close()
        assert await database.fetchval("SELECT 1") == 1
        await until(lambda: database.metrics().total_count == 3)
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
    database.events.listen(heard.append)
    async with database.acquire() as first, database.acquire():
        await first.execute("SELECT 1")
    assert heard.count("connect") == 1
    assert heard.count("acquire") == heard.count("release") == 2
    await database.close()
    await until(lambda: heard.count("remove") == 2)


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


async def test_a_cancelled_task_cancels_its_statement_and_the_connection_comes_back(database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), database_url)
    outside = await asyncpg.connect(database_url)
    try:
        task = asyncio.create_task(database.execute("SELECT pg_sleep(60) /* cancelled */"))
        running = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%/* cancelled */' AND state = 'active' AND pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(10):
            while not await outside.fetchval(running):
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while await outside.fetchval(running):
                await asyncio.sleep(0.02)
        assert await database.fetchval("SELECT 1") == 1
        await until(lambda: database.metrics().idle_count == 1)
    finally:
        await outside.close()
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


async def test_tables_may_change_under_prepared_statements(fresh_database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), fresh_database_url)
    try:
        await database.execute("CREATE TABLE changing AS SELECT 1 AS a")
        for _ in range(7):
            await database.fetch("SELECT * FROM changing")
        outside = await asyncpg.connect(fresh_database_url)
        await outside.execute("ALTER TABLE changing ADD COLUMN b text DEFAULT 'new'")
        await outside.close()
        assert [tuple(row) for row in await database.fetch("SELECT * FROM changing")] == [(1, "new")]
    finally:
        await database.close()


async def test_json_comes_and_goes_as_values(database_url):
    database = await Database.open(settings(pool_min_size=1), database_url)
    try:
        assert await database.fetchval("SELECT $1::jsonb", {"a": [1, None, "ü"]}) == {"a": [1, None, "ü"]}
    finally:
        await database.close()


async def test_postgresql_going_away_and_coming_back_is_survived():
    folder = reachable_folder("coming-back")
    server = EmbeddedServer(folder, durable=False)
    server.start()
    database = await Database.open(settings(pool_min_size=2, pool_max_size=4, pool_acquire_seconds=1), server.url())
    try:
        assert await database.fetchval("SELECT 1") == 1
        server.process.kill()
        server.process.wait()
        # A backend answers until it notices that its postmaster is gone.
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeoutError)):
            await ask_for_ever(database)
        server.stop()
        server.start()
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*(database.fetchval("SELECT 1") for _ in range(8)))
        assert answers == [1] * 8
        await until(lambda: database.metrics().total_count >= 2)
    finally:
        await database.close()
        server.stop()


async def test_a_read_that_meets_a_dead_connection_is_read_again_and_a_write_is_not_written_again(fresh_database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), fresh_database_url)
    outside = await asyncpg.connect(fresh_database_url)
    try:
        await outside.execute("CREATE TABLE written (n integer)")
        # The connection ends while the statement runs: the client cannot know how far it came.
        end_it = "SELECT pg_terminate_backend(pg_backend_pid())"
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await database.execute(f"INSERT INTO written SELECT 1 FROM ({end_it}) AS ended")
        assert await outside.fetchval("SELECT count(*) FROM written") == 0

        async def terminate():
            await outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rollcall' AND datname = current_database()"
            )

        for _ in range(20):
            assert await database.fetchval("SELECT 1") == 1
            await terminate()
    finally:
        await outside.close()
        await database.close()
