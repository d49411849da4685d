"""Tests what killed servers leave behind, and damaged data directories, with real servers that are really killed."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from db.embedded import EmbeddedServer, StartError
from db.postgres_binaries import unprivileged_account
from db.stale_postmaster import postmaster_pid
from tests.polling import block_until
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder():
    return reachable_folder("leftovers")


@pytest.fixture
def server(folder):
    server = EmbeddedServer(folder / "data", durable=False)
    yield server
    server.stop()


def value(server, sql):
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return connection.execute(sql).fetchone()[0]


def somebody():
    """Starts a process that is not PostgreSQL's, but to which PostgreSQL's user may send signals."""
    account = unprivileged_account()
    return subprocess.Popen(["sleep", "120"], **({} if account is None else {"user": account.uid}))


def test_a_number_in_postmaster_pid_that_is_somebody_elses_by_now_harms_nobody(server):
    """Checks the situation after a restart of the machine, when pids begin anew."""
    server.start()
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    other = somebody()
    try:
        stale = server.data / "postmaster.pid"
        stale.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        owner = server.data.stat()
        os.chown(stale, owner.st_uid, owner.st_gid)
        assert postmaster_pid(server.data) is None
        assert not server.running()
        server.start()
        assert value(server, "SELECT 1") == 1
        assert other.poll() is None, "it was left alone"
    finally:
        other.kill()
        other.wait()


def test_a_statement_that_runs_on_without_its_postmaster_does_not_keep_the_next_from_starting(server):
    server.start()
    cut = []

    def ask():
        try:
            value(server, "SELECT sum(length(md5(n::text))) FROM generate_series(1, 1000000000) AS n")
        except psycopg.OperationalError as error:
            cut.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    block_until(
        lambda: (
            value(server, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%1000000000%'") > 1
        )
    )
    server.process.kill()
    server.process.wait()
    server.stop()
    server.start()
    assert value(server, "SELECT 1") == 1
    asking.join(30)
    assert cut, "the statement was ended"


def test_a_postmaster_that_outlived_its_parent_is_ended_and_replaced(server):
    """Checks the situation on systems on which children outlive their parent."""
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    old = server.process
    server._directory.unlock()
    again = EmbeddedServer(server.folder, durable=False)
    again.start()
    try:
        assert old.wait(30) == 0, "it was shut down in order"
        assert value(again, "SELECT answer FROM kept") == 42
    finally:
        again.stop()


MAKER = """
import sys
from pathlib import Path
from db.embedded import EmbeddedServer
EmbeddedServer(Path(sys.argv[1])).start()
"""


def test_a_first_start_that_is_killed_hard_is_begun_anew(folder):
    """Checks this because the first file that initdb writes makes an unfinished directory look complete."""
    maker = subprocess.Popen([sys.executable, "-c", MAKER, str(folder / "data")], cwd=ROOT)
    block_until(lambda: list((folder / "data").glob("*/PG_VERSION")))
    maker.kill()
    maker.wait()
    assert not (folder / "data" / "postgres").exists(), "killed in the middle"
    server = EmbeddedServer(folder / "data", durable=False)
    server.start()
    try:
        assert value(server, "SELECT 1") == 1
        assert not list((folder / "data").glob("postgres.making-*"))
    finally:
        server.stop()


def test_a_folder_of_that_name_with_something_else_in_it_is_left_alone(server):
    server.data.mkdir(parents=True)
    (server.data / "letters.txt").write_text("dear all")
    with pytest.raises(StartError, match="not a data directory"):
        server.start()
    assert (server.data / "letters.txt").read_text() == "dear all"


def test_data_of_another_version_is_said_to_be(server):
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(StartError, match=r"PostgreSQL 13.*pg_upgrade"):
        server.start()


def test_a_setting_that_postgresql_refuses_is_said_with_the_end_of_its_log(server):
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as conf:
        conf.write("work_mem = 'a lot'\n")
    with pytest.raises(StartError, match="work_mem"):
        server.start()
    (server.data / "postgresql.auto.conf").write_text("")
    lines = (server.data / "postgresql.conf").read_text().splitlines()
    (server.data / "postgresql.conf").write_text("\n".join(lines[:-1]) + "\n")
    server.start()
    assert value(server, "SELECT 1") == 1


def test_what_was_committed_is_there_after_it_died_and_was_started_again(server):
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.execute("CHECKPOINT")
    server.process.kill()
    server.process.wait()
    server.stop()
    server.start()
    assert value(server, "SELECT answer FROM kept") == 42


def test_sockets_are_not_put_where_somebody_else_has_been_before(folder, monkeypatch):
    """Checks this because another user could have placed a symbolic link in the folder for temporary files."""
    monkeypatch.setattr("db.embedded.tempfile.gettempdir", lambda: str(folder))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    before = elsewhere.stat()
    server = EmbeddedServer(folder / ("d" * 100), durable=False)
    server.sockets.symlink_to(elsewhere)
    with pytest.raises(StartError, match="another user"):
        server.start()
    after = elsewhere.stat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
    server.sockets.unlink()
    server.start()
    assert value(server, "SELECT 1") == 1
    server.stop()
    assert not server.sockets.exists(), "what was put there is taken away"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_root_leaves_the_folder_its_owner_and_goes_on_with_the_datas(folder):
    """Checks `sudo make run` after `make run`: the data still belongs to the user, who can continue without root."""
    folder.chmod(0o777)
    os.chown(folder, 1234, 1234)
    first = EmbeddedServer(folder, durable=False)
    first.start()
    first.stop()
    assert folder.stat().st_uid == 1234, "it may hold other things"
    subprocess.run(["chown", "-R", "1234:1234", str(folder)], check=True)
    again = EmbeddedServer(folder, durable=False)
    again.start()
    try:
        assert psutil.Process(again.process.pid).uids().real == 1234
        assert value(again, "SELECT 1") == 1
    finally:
        again.stop()
    assert {path.lstat().st_uid for path in folder.iterdir()} == {1234}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_of_another_user_is_said_to_be_without_a_traceback(folder):
    server = EmbeddedServer(folder, durable=False)
    server.start()
    server.stop()
    code = (
        "import os, sys; from pathlib import Path; from db.embedded import EmbeddedServer, StartError; os.setgid(4321); os.setuid(4321)\n"
    )
    code += f"try: EmbeddedServer(Path({str(folder)!r})).start()\nexcept StartError as error: print(error)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "DATA_DIR" in said
