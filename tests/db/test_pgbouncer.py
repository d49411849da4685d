"""Tests the server behind a real PgBouncer in transaction mode."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from config import Settings
from db.pool import Database
from tests.in_process_server import serving
from tests.server_process import free_port
from tests.temp_folders import reachable_folder

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = [pytest.mark.processes, pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer: apt-get install pgbouncer")]


@dataclass(frozen=True)
class Bouncer:
    url: str
    process: subprocess.Popen


@pytest.fixture(scope="module")
def bouncer(demo_url):
    """Yields the URL of the demo school through PgBouncer, which shares two connections to the server among all clients."""
    folder = reachable_folder("pgbouncer")
    port = free_port()
    parts = urlsplit(demo_url)
    given = parse_qs(parts.query)
    host = given.get("host", [parts.hostname])[0]
    server_port = given.get("port", [parts.port or 5432])[0]
    user, password = parts.username or "", parts.password or ""
    (folder / "users.txt").write_text(f'"{user}" "{password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\nschool = host={host} port={server_port} dbname={parts.path[1:]}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users.txt\n"
        f"pool_mode = transaction\ndefault_pool_size = 2\nlogfile = {folder}/pgbouncer.log\npidfile =\n"
    )
    identity = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (folder, *folder.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen([PGBOUNCER, str(folder / "pgbouncer.ini")], stdout=output, stderr=output, **identity)
    until = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None, (folder / "output").read_text()
        assert time.monotonic() < until
        time.sleep(0.02)
    yield Bouncer(f"postgresql://{user}@127.0.0.1:{port}/school", process)
    process.terminate()
    process.wait(10)


async def test_the_server_works_behind_it(bouncer, demo_url):
    async with serving(bouncer.url, pgbouncer=True, direct_database_url=demo_url, pool_max_size=10) as client:
        token = await client.token("admin@demo.school")
        query = "{ students(first: 20) { totalCount nodes { name class { name } grades(first: 2) { nodes { letter } } } } }"
        answers = await asyncio.gather(*(client.data(query, token=token) for _ in range(40)))
        assert {answer["students"]["totalCount"] for answer in answers} == {350}
        assert (await client.http.get("/health/ready")).status_code == 200
        made = 'mutation { createServiceToken(input: {name: "behind", scopes: [HEALTH_READ]}) { token userErrors { message } } }'
        assert (await client.data(made, token=token))["createServiceToken"]["token"]
        await client.data("mutation { signOut { userErrors { message } } }", token=token)
        assert (await client.post("{ viewer { role } }", token=token)).status_code == 401, "revocations are heard past PgBouncer"


async def test_without_the_setting_it_does_not_work(bouncer):
    """Checks that the setting is needed: without it, PgBouncer refuses the startup parameters."""
    with pytest.raises(asyncpg.PostgresError, match="unsupported startup parameter"):
        await Database.open(Settings(environment="test", pool_min_size=1), bouncer.url)


async def test_statements_are_bounded_without_leaving_anything_behind(bouncer, demo_url):
    settings = Settings(
        environment="test", database_url=bouncer.url, direct_database_url=demo_url, pgbouncer=True, pool_min_size=1, query_seconds=0.3
    )
    database = await Database.open(settings, bouncer.url)
    try:
        assert await database.fetchval("SHOW statement_timeout") == "300ms"
        with pytest.raises((TimeoutError, asyncpg.QueryCanceledError)):
            await database.execute("SELECT pg_sleep(5)")
        assert await database.fetchval("SELECT 1") == 1
        async with database.acquire() as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "0"
        for name, value in (("application_name", "rollcall"), ("TimeZone", "UTC")):
            assert await database.fetchval(f"SHOW {name}") == value
    finally:
        await database.close()


async def test_ready_means_that_requests_get_through(bouncer, demo_url):
    """Checks this because a reachable PostgreSQL does not help a server that connects through PgBouncer."""
    async with serving(bouncer.url, pgbouncer=True, direct_database_url=demo_url) as client:
        assert (await client.http.get("/health/ready")).status_code == 200
        bouncer.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert (await client.http.get("/health/ready")).status_code == 503
            assert time.monotonic() - began < 2
        finally:
            bouncer.process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(10):
            while (await client.http.get("/health/ready")).status_code != 200:
                await asyncio.sleep(0.05)
