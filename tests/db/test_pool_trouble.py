"""Tests the pool when connections are lost, requests are cancelled, and tables change."""

import asyncio
from functools import partial

import asyncpg
import psycopg
import pytest
import uvloop

from config import Settings
from db.embedded import EmbeddedServer
from db.pool import Database, PoolTimeoutError
from tests.polling import until
from tests.temp_folders import reachable_folder

settings = partial(Settings, environment="test")


async def ask_until_it_fails(database):
    """Runs statements until one fails, for up to 15 seconds, and raises its error."""
    until = asyncio.get_running_loop().time() + 15
    while asyncio.get_running_loop().time() < until:
        await database.fetchval("SELECT 1")
        await asyncio.sleep(0.01)


async def test_warm_connections_that_the_server_closes_are_opened_again(database_url):
    database = await Database.open(settings(pool_min_size=3, pool_max_size=8), database_url, min_size_interval=0.1)
    try:
        outside = await asyncpg.connect(database_url)
        await outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rollcall' AND datname = current_database()"
        )
        await outside.close()
        # A request that arrives while the three are being opened opens another: three is the minimum, not the maximum.
        assert await database.fetchval("SELECT 1") == 1
        await until(lambda: database.metrics().total_count >= 3)
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


async def test_a_transaction_that_is_cancelled_leaves_nothing_behind(fresh_database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), fresh_database_url)
    try:
        await database.execute("CREATE TABLE written (n integer)")
        wrote = asyncio.Event()

        async def write():
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO written VALUES (1)")
                wrote.set()
                await connection.execute("SELECT pg_sleep(60)")

        task = asyncio.create_task(write())
        async with asyncio.timeout(10):
            await wrote.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await database.fetchval("SELECT count(*) FROM written") == 0
        assert (database.metrics().idle_count, database.metrics().waiting_count) == (1, 0)
    finally:
        await database.close()


async def test_a_transaction_that_never_began_is_forgotten(fresh_database_url):
    """Checks cancellation before BEGIN: asyncpg already counts the transaction, so that the connection's next one would become a savepoint."""
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), fresh_database_url)
    try:
        await database.execute("CREATE TABLE written (n integer)")
        async with database.acquire() as connection:
            connection._con.rollcall_skip_reset = True
            connection._con._top_xact = connection._con.transaction()
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO written VALUES (1)")
        assert await database.fetchval("SELECT count(*) FROM written") == 1
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


async def test_a_write_whose_answer_cannot_be_read_is_not_written_again(fresh_database_url):
    """Checks this because a changed type is detected after the statement has been executed: a write must not be repeated, but a read may."""
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), fresh_database_url)
    outside = await asyncpg.connect(fresh_database_url)
    write = "INSERT INTO written SELECT jsonb_populate_record(NULL::pair, $1) RETURNING v"
    try:
        await outside.execute("CREATE TYPE pair AS (a integer); CREATE TABLE written (v pair)")
        await database.fetch(write, {"a": 1})
        await outside.execute("ALTER TYPE pair ADD ATTRIBUTE b integer")
        with pytest.raises(asyncpg.OutdatedSchemaCacheError):
            await database.fetch(write, {"a": 2})
        assert await outside.fetchval("SELECT count(*) FROM written") == 2
        read = "SELECT v FROM written ORDER BY (v).a"
        assert [tuple(row["v"]) for row in await database.fetch(read)] == [(1, None), (2, None)]
        await outside.execute("ALTER TYPE pair ADD ATTRIBUTE c integer")
        assert [tuple(row["v"]) for row in await database.fetch(read)] == [(1, None, None), (2, None, None)]
    finally:
        await outside.close()
        await database.close()


@pytest.mark.processes
async def test_postgresql_going_away_and_coming_back_is_survived():
    folder = reachable_folder("coming-back")
    server = EmbeddedServer(folder, durable=False)
    server.start()
    database = await Database.open(settings(pool_min_size=2, pool_max_size=4, pool_acquire_seconds=1), server.url())
    try:
        assert await database.fetchval("SELECT 1") == 1
        server.process.kill()
        server.process.wait()
        # A backend answers until it notices that its postmaster has ended.
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeoutError)):
            await ask_until_it_fails(database)
        server.stop()
        # More failures than there are connections, to show that none of them loses a connection.
        for _ in range(6):
            with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PoolTimeoutError)):
                await database.execute("SELECT 1")
        server.start()
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*(database.fetchval("SELECT 1") for _ in range(8)))
        assert answers == [1] * 8
        await until(lambda: database.metrics().total_count >= 2)
    finally:
        await database.close()
        server.stop()


async def test_a_connection_that_could_not_be_lent_is_not_lost(fresh_database_url, monkeypatch):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1, pool_acquire_seconds=2), fresh_database_url)
    try:

        async def fails(holder):
            raise OSError("of this test")

        with monkeypatch.context() as patched:
            patched.setattr("asyncpg.pool.PoolConnectionHolder.acquire", fails)
            with pytest.raises(OSError, match="of this test"):
                await database.execute("SELECT 1")
        assert await database.fetchval("SELECT 1") == 1
    finally:
        await database.close()


async def test_a_pool_that_is_closing_lends_none(fresh_database_url):
    database = await Database.open(settings(pool_min_size=2, pool_max_size=2), fresh_database_url)
    async with database.acquire():
        closing = asyncio.create_task(database.close())
        await until(database._pool.is_closing)
        with pytest.raises(asyncpg.InterfaceError):
            await database.execute("SELECT 1")
    await closing


async def test_a_read_that_meets_a_dead_connection_is_read_again_and_a_write_is_not_written_again(fresh_database_url):
    database = await Database.open(settings(pool_min_size=1, pool_max_size=1), fresh_database_url)
    outside = await asyncpg.connect(fresh_database_url)
    try:
        await outside.execute("CREATE TABLE written (n integer)")
        # The connection ends while the statement runs, so that its outcome is unknown.
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


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_connection_whose_end_nobody_has_read_is_given_to_nobody(fresh_database_url, new_loop):
    """Checks that even a write uses another connection then, since nothing has been sent on this one."""
    end_them = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = 'rollcall' AND datname = current_database()"

    async def write():
        database = await Database.open(settings(pool_min_size=2, pool_max_size=2), fresh_database_url)
        heard = []
        database.events.add_listener(heard.append)
        try:
            await database.execute("CREATE TABLE written (n integer)")
            # The event loop is blocked meanwhile, as under load, and does not read that the connection was closed.
            with psycopg.connect(fresh_database_url, autocommit=True) as outside:
                assert outside.execute(end_them).fetchone() == (2,)
            await database.execute("INSERT INTO written VALUES (1)")
            async with database.transaction() as connection:
                await connection.execute("INSERT INTO written VALUES (2)")
            assert await database.fetchval("SELECT count(*) FROM written") == 2
            assert heard.count("remove") == 2
            assert heard.count("acquire") == heard.count("release")
        finally:
            await database.close()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(write())
