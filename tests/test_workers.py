"""Tests that workers that exit, hang or cannot start are replaced while the others go on, and that a failure never ends in exit code 0."""

import os
import re
import signal
import socket
import time

import psycopg
import pytest

from http_server import listeners
from tests.polling import block_until
from tests.server_process import Program, alive
from tests.temp_folders import reachable_folder

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


@pytest.fixture
def start(fresh_database_url):
    programs = []

    def starting(**settings):
        folder = reachable_folder("workers")
        settings = {"DATABASE_URL": fresh_database_url, "POOL_MIN_SIZE": "1", "DRAIN_NOTICE_SECONDS": "0.1", **settings}
        programs.append(Program(folder, **settings))
        return programs[-1]

    yield starting
    for program in programs:
        if program.process.poll() is None:
            program.stop(signal.SIGKILL)


def serving(program):
    """Returns the pids of the workers that are serving."""
    return [int(pid) for pid in re.findall(r"a worker has started +pid=(\d+)", program.said()) if alive(int(pid))]


def both_serve(program, *without):
    block_until(lambda: len([pid for pid in serving(program) if pid not in without]) == 2, within=240)
    return serving(program)


def allow_connections(url, allowed):
    name = url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(url.replace(f"/{name}", "/postgres"), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')


def test_a_worker_that_starts_while_the_database_is_away_is_tried_again_and_the_others_go_on(start, fresh_database_url):
    program = start(WORKERS="2")
    program.ready()
    first, second = both_serve(program)
    allow_connections(fresh_database_url, "false")
    try:
        os.kill(first, signal.SIGKILL)
        block_until(lambda: program.said().count("ended with 3") >= 2, within=240)
        assert program.process.poll() is None
        assert alive(second)
        for _ in range(5):
            block_until(lambda: program.status("/health/live") == 200)
    finally:
        allow_connections(fresh_database_url, "true")
    both_serve(program)
    os.kill(second, signal.SIGKILL)
    both_serve(program, second)
    assert program.status("/health/ready") == 200
    assert program.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_cannot_start_never_exits_with_0(start, fresh_database_url, workers):
    """Uses a URL with which the checks at the start can connect but the pool cannot, since asyncpg takes an option of libpq for a server setting."""
    away = {"DATABASE_URL": f"{fresh_database_url}{'&' if '?' in fresh_database_url else '?'}keepalives=1"}
    # Each attempt of each worker imports the whole server, and two show as much as five.
    program = start(WORKERS=workers, code="import launcher, workers; workers._TRIES = 2; launcher.main()", **away)
    assert program.process.wait(300) == 3, program.said()
    assert "Rollcall is at" not in program.said()


def test_a_worker_that_hangs_is_replaced(start):
    program = start(WORKERS="2")
    program.ready()
    hung = both_serve(program)[0]
    os.kill(hung, signal.SIGSTOP)
    block_until(lambda: not alive(hung), within=240)
    assert "sent no heartbeat for 30 seconds" in program.said()
    both_serve(program)
    assert program.stop(signal.SIGTERM) == 0


def test_a_worker_that_is_stopped_by_itself_leaves_the_socket_to_the_others(start):
    program = start(WORKERS="2")
    program.ready()
    first = both_serve(program)[0]
    os.kill(first, signal.SIGTERM)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert program.status("/health/live") == 200
    assert not alive(first)
    both_serve(program)
    assert program.stop(signal.SIGTERM) == 0


def test_ctrl_c_ends_the_workers_as_well(start):
    program = start(WORKERS="2")
    program.ready()
    pids = both_serve(program)
    assert program.stop(signal.SIGINT) == 0
    assert not any(alive(pid) for pid in pids)
    assert "Traceback" not in program.said()


def test_a_worker_that_starts_never_makes_the_socket_blocking_for_the_others():
    """Checks this because the workers share one open file description: a worker in accept(2) would block until the next connection."""
    with socket.create_server(("127.0.0.1", 0)) as shared:
        shared.setblocking(False)
        given = socket.socket(fileno=os.dup(shared.fileno()))
        assert given.gettimeout() is None
        made = listeners(given)
        assert not os.get_blocking(shared.fileno())
        for each in made:
            assert each.gettimeout() == 0
            each.close()
