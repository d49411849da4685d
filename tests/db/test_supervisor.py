"""Tests an embedded PostgreSQL that is killed under a running server, with real processes."""

import os
import shutil
import signal
import threading
import time

import psycopg
import pytest

from db.embedded import EmbeddedServer
from db.supervisor import supervised
from tests.polling import block_until
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes


@pytest.fixture
def server():
    server = EmbeddedServer(reachable_folder("keeping") / "data")
    server.start()
    yield server
    server.stop()


def value(server, sql):
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return connection.execute(sql).fetchone()[0]


def back(server, than):
    """Waits until another postmaster than this one is running and answers."""
    block_until(lambda: server.process.pid != than)

    def answers():
        try:
            return value(server, "SELECT 1") == 1
        except psycopg.OperationalError:
            return False

    block_until(answers)


def test_what_was_acknowledged_before_a_kill_is_there_after_it(server):
    said, stop = [], threading.Event()

    def write():
        while not stop.is_set():
            try:
                with psycopg.connect(server.url(), autocommit=True) as connection:
                    while not stop.is_set():
                        said.append(connection.execute("INSERT INTO written DEFAULT VALUES RETURNING n").fetchone()[0])
            except psycopg.Error:
                time.sleep(0.01)

    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE written (n integer GENERATED ALWAYS AS IDENTITY)")
    with supervised(server, pytest.fail):
        writing = [threading.Thread(target=write) for _ in range(4)]
        for each in writing:
            each.start()
        for _ in range(3):
            before, written = server.process.pid, len(said)
            block_until(lambda written=written: len(said) > written + 50)
            os.kill(before, signal.SIGKILL)
            back(server, before)
        stop.set()
        for each in writing:
            each.join()
        with psycopg.connect(server.url(), autocommit=True) as connection:
            kept = {n for (n,) in connection.execute("SELECT n FROM written")}
        assert set(said) <= kept
        assert len(said) == len(set(said))
    assert not server.running()


def test_a_shutdown_by_somebody_else_is_undone_too(server):
    with supervised(server, pytest.fail):
        before = server.process.pid
        os.kill(before, signal.SIGINT)
        back(server, before)


def test_one_that_keeps_ending_is_given_up(server):
    why = []
    with supervised(server, why.append):
        for _ in range(3):
            before = server.process.pid
            os.kill(before, signal.SIGKILL)
            back(server, before)
        os.kill(server.process.pid, signal.SIGKILL)
        block_until(lambda: why)
        assert "4 times" in why[0]
    assert len(why) == 1


def test_one_that_cannot_be_started_is_given_up_with_the_reason(server):
    why = []
    with supervised(server, why.append):
        shutil.rmtree(server.data / "global")
        os.kill(server.process.pid, signal.SIGKILL)
        block_until(lambda: why)
        assert "did not start" in why[0]


def test_its_end_is_not_taken_for_an_accident(server):
    with supervised(server, pytest.fail):
        ended = server.process
    assert ended.poll() == 0
    assert server.process is None
