"""Tests that a loader's running statement ends when the client disconnects."""

import asyncio
import json

import asyncpg

from tests.in_process_server import serving

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()
"""


async def test_a_loaders_statement_ends_with_its_client(demo_url):
    """Checks a statement that waits for a lock that is never released, so that only cancellation can end it."""
    query = "{ students(first: 5) { nodes { name grades(first: 3) { nodes { percentage } } } } }"
    async with serving(demo_url) as client:
        token = await client.token("admin@demo.school")
        assert (await client.data(query, token=token))["students"]["nodes"]
        locking, watching = await asyncpg.connect(demo_url), await asyncpg.connect(demo_url)
        try:
            async with asyncio.timeout(30), locking.transaction():
                await locking.execute("LOCK TABLE grades IN ACCESS EXCLUSIVE MODE")
                host, port = client.url.removeprefix("http://").split(":")
                _, writer = await asyncio.open_connection(host, int(port))
                body = json.dumps({"query": query}).encode()
                writer.write(
                    b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer "
                    + token.encode()
                    + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                )
                while await watching.fetchval(WAITING) != 1:
                    await asyncio.sleep(0.02)
                writer.close()
                while await watching.fetchval(WAITING) != 0:
                    await asyncio.sleep(0.02)
            assert (await client.data(query, token=token))["students"]["nodes"]
        finally:
            await locking.close()
            await watching.close()
