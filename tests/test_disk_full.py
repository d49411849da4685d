"""Tests full disks: real file systems of a few megabytes, filled to the last byte."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

import asyncpg
import psycopg
import pytest

import db.embedded
import db.supervisor
from db.embedded import EmbeddedServer, StartError
from db.errors import failure
from db.supervisor import supervised
from tests.in_process_server import serving
from tests.polling import block_until
from tests.server_process import ROOT, Program
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

CONTACT = (
    "mutation ($input: UpdateOwnContactInput!) { updateOwnContact(input: $input) { user { contact { address } } userErrors { code } } }"
)
OWN = "{ viewer { user { contact { address } } } }"


@contextmanager
def disk(megabytes):
    """Mounts a small file system that every user can enter."""
    folder = reachable_folder("disk") / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a file system can be mounted by root alone: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    """Fills the remaining space; returns the file to remove in order to free it."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return ballast


def test_a_first_start_on_a_disk_that_is_too_small_says_what_it_needs():
    with disk(100) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "launcher"], cwd=ROOT, env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), "PORT": "0"},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 1
        (sentence,) = done.stderr.splitlines()
        assert "256 MB" in sentence
        assert "100 MB are free" in sentence
        assert not (folder / "data" / "postgres").exists()


def test_a_first_start_that_fills_the_disk_says_so_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(db.embedded, "first_start_space_problem", lambda _: None)
    with disk(20) as folder:
        with pytest.raises(StartError, match=r"is full\. Free 256 MB or more") as refused:
            EmbeddedServer(folder / "data").start()
        assert "\n" not in str(refused.value)
        assert list((folder / "data").glob("postgres*")) == [folder / "data" / "postgres.log"] or not list(
            (folder / "data").glob("postgres*")
        )


def test_a_later_start_on_a_full_disk_says_so():
    with disk(300) as folder:
        server = EmbeddedServer(folder / "data")
        server.start()
        server.stop()
        ballast = fill(folder)
        with pytest.raises(StartError, match=r"is full\. Free 32 MB or more") as refused:
            server.start()
        assert "\n" not in str(refused.value)
        ballast.unlink()
        server.start()
        server.stop()


async def test_a_table_that_cannot_grow_has_its_own_code_and_takes_the_server_out_of_rotation(databases):
    if not databases.url.startswith("postgresql://rollcall@/"):
        pytest.skip("a tablespace lies on PostgreSQL's own machine, and this one is elsewhere")
    url = databases.clone("demo", "full")
    with disk(16) as folder:
        space = folder / "space"
        space.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(space, 65534, 65534)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE tiny LOCATION '{space}'")
            connection.execute("ALTER TABLE audit_logs SET TABLESPACE tiny")
        try:
            async with serving(url) as client, serving(url) as other:
                token = await client.token("admin@demo.school")

                async def ready(of):
                    answer = await of.http.get("/health/ready")
                    return answer.status_code, answer.json().get("reason")

                async def becomes(of, status):
                    until = asyncio.get_running_loop().time() + 30
                    while (found := await ready(of))[0] != status:
                        assert asyncio.get_running_loop().time() < until, found
                        await asyncio.sleep(0.1)
                    return found[1]

                async def write(address):
                    return (await client.post(CONTACT, token=token, variables={"input": {"address": address, "phone": None}})).json()

                assert (await ready(client))[0] == (await ready(other))[0] == 200
                ballast = fill(folder)
                kept = None
                for number in range(2_000):
                    answer = await write(f"{number} Elm Street {'x' * 300}")
                    if "errors" in answer:
                        break
                    kept = answer["data"]["updateOwnContact"]["user"]["contact"]["address"]
                assert [each["extensions"]["code"] for each in answer["errors"]] == ["STORAGE_FULL"]
                assert "nothing was saved" in answer["errors"][0]["message"]
                data = await client.data(OWN, token=token)
                assert data["viewer"]["user"]["contact"]["address"] == kept or kept is None
                assert await ready(client) == (503, "the database's disk is full")
                assert await becomes(other, 503) == "the database's disk is full", "another worker of the database knows it too"
                await asyncio.sleep(2.5)  # trial writes meanwhile find no space
                assert (await ready(client))[0] == 503
                ballast.unlink()
                await becomes(client, 200)
                await becomes(other, 200)
                assert (await write("1 Oak Street"))["data"]["updateOwnContact"]["userErrors"] == []
        finally:
            databases.drop("full")
            with psycopg.connect(databases.url, autocommit=True) as connection:
                connection.execute("DROP TABLESPACE tiny")


def use_up_the_log(url):
    """Writes until the write-ahead log needs a new file and cannot create it, so that PostgreSQL stops."""
    message = "SELECT pg_logical_emit_message(true, 'test', repeat('x', 1000000)) FROM generate_series(1, 3000)"
    with pytest.raises(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        connection.execute(message)


def test_a_write_ahead_log_that_cannot_grow_is_waited_for(monkeypatch):
    monkeypatch.setattr(db.supervisor, "_DISK_FULL_INTERVAL", 0.2)
    with disk(400) as folder:
        server = EmbeddedServer(folder / "data")
        server.start()
        trials = []
        restart = server.restart
        monkeypatch.setattr(server, "restart", lambda: (trials.append(time.monotonic()), restart()))
        with supervised(server, pytest.fail):
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("CREATE TABLE said AS SELECT n FROM generate_series(1, 1000) AS n")
            ballast = fill(folder)
            use_up_the_log(server.url())
            block_until(lambda: len(trials) > 5)
            assert not server.running()
            ballast.unlink()

            def answers():
                with suppress(psycopg.OperationalError), psycopg.connect(server.url()) as connection:
                    return connection.execute("SELECT count(*) FROM said").fetchone() == (1000,)
                return False

            block_until(answers)


def not_ready(program):
    """Returns the reason that `/health/ready` gives."""
    with suppress(OSError):
        try:
            urllib.request.urlopen(f"{program.base}/health/ready", timeout=5).close()
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)["reason"]
    return None


def test_a_server_whose_write_ahead_log_cannot_grow_stays_and_is_ready_again_when_there_is_room():
    with disk(500) as folder:
        program = Program(folder, WORKERS="1")
        try:
            program.ready()
            ballast = fill(folder)
            use_up_the_log(f"postgresql://rollcall@/rollcall?host={folder / 'data' / 'run'}&port=5432")
            block_until(lambda: not_ready(program) == "the database's disk is full")
            time.sleep(7)  # longer than four fast restarts would have taken
            assert program.process.poll() is None, program.said()
            assert program.status("/health/live") == 200
            assert program.status("/health/ready") == 503
            ballast.unlink()
            block_until(lambda: program.status("/health/ready") == 200)
            assert program.token()
        finally:
            program.stop()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncpg.DiskFullError("could not extend file"), "STORAGE_FULL"),
        (asyncpg.InternalServerError('could not extend file "base/5/1": Disk quota exceeded'), "STORAGE_FULL"),
        (asyncpg.InternalServerError("cache lookup failed"), None),
    ],
)
def test_what_has_no_room_is_told_from_other_trouble(error, code):
    known = failure(error)
    assert (known and known[0]) == code
