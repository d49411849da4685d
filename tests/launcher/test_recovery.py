"""Tests recovery after the server or its PostgreSQL was killed: acknowledged writes and sessions survive, and no processes are left over."""

import os
import signal
import subprocess

import pytest

from tests.polling import block_until
from tests.server_process import postmaster, until_gone

pytestmark = pytest.mark.processes

# It stood in this repository once.
PUBLIC = "rollcall-development-secret-not-for-production"


def test_a_hard_kill_loses_nothing_that_was_acknowledged(start, school):
    first = start()
    first.ready()
    token = first.token()
    made = first.ask('mutation { createServiceToken(input: {name: "kept", scopes: [HEALTH_READ]}) { serviceToken { id } } }', token)
    identifier = made["createServiceToken"]["serviceToken"]["id"]
    postgres = postmaster(school)
    first.process.kill()
    first.process.wait()
    assert until_gone(postgres), "PostgreSQL does not outlive its parent"
    second = start()
    second.ready()
    assert second.ask(f'{{ node(id: "{identifier}") {{ id }} }}', token)["node"] == {"id": identifier}


def test_workers_do_not_outlive_a_parent_that_is_killed(start, school):
    program = start(WORKERS="2", POOL_MIN_SIZE="1")
    program.ready()
    children = subprocess.run(["pgrep", "-P", str(program.process.pid)], capture_output=True, text=True, check=False).stdout.split()
    program.process.kill()
    program.process.wait()
    assert all(until_gone(int(child)) for child in children)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_postgresql_that_dies_is_started_again_and_nothing_acknowledged_is_lost(start, school, workers):
    program = start(POOL_MIN_SIZE="1", WORKERS=workers, POOL_ACQUIRE_SECONDS="1")
    program.ready()
    token = program.token()
    for n in range(2):
        made = program.ask(
            f'mutation {{ createServiceToken(input: {{name: "kept {n}", scopes: [HEALTH_READ]}}) {{ serviceToken {{ id }} }} }}', token
        )
        identifier = made["createServiceToken"]["serviceToken"]["id"]
        os.kill(postmaster(school), signal.SIGKILL)
        block_until(lambda n=n: program.said().count("PostgreSQL is running again") == n + 1)
        block_until(lambda: program.status("/health/ready") == 200)
        assert program.ask(f'{{ node(id: "{identifier}") {{ id }} }}', token)["node"] == {"id": identifier}
    assert program.stop(signal.SIGTERM) == 0


def test_a_postgresql_that_keeps_dying_ends_the_server_with_a_message(start, school):
    program = start(POOL_MIN_SIZE="1", DRAIN_NOTICE_SECONDS="0")
    program.ready()
    for n in range(4):
        os.kill(postmaster(school), signal.SIGKILL)
        block_until(lambda n=n: program.said().count("PostgreSQL is running again") == n + 1 or program.process.poll() is not None)
    assert program.process.wait(30) == 1
    assert "Rollcall ended: PostgreSQL ended 4 times" in program.said()


def test_sessions_outlive_a_restart_and_hold_in_every_worker_without_a_secret(start, school):
    first = start(POOL_MIN_SIZE="1")
    first.ready()
    token = first.token()
    first.stop()
    second = start(WORKERS="2", POOL_MIN_SIZE="1")
    second.ready()
    assert {second.ask("{ viewer { role } }", token)["viewer"]["role"] for _ in range(20)} == {"ADMIN"}
    assert ((school / "data" / "secret_key").stat().st_mode & 0o777) == 0o600
