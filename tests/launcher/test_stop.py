"""Tests stopping the server: requests finish, and workers and PostgreSQL end with it."""

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.polling import block_until
from tests.server_process import SIGN_IN, postmaster, until_gone

pytestmark = pytest.mark.processes

# It stood in this repository once.
PUBLIC = "rollcall-development-secret-not-for-production"


def test_sigterm_drains(start, school):
    program = start(DRAIN_NOTICE_SECONDS="1.5")
    program.ready()
    postgres = postmaster(school)
    program.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + 1.2
    seen = set()
    while time.monotonic() < until:
        seen.add(program.status("/health/ready"))
        time.sleep(0.05)
    assert 503 in seen, "it says that it is not ready while it still answers"
    assert program.process.wait(30) == 0
    assert until_gone(postgres)


def test_sigterm_lets_requests_finish_and_closes_the_pool(start, fresh_database_url):
    """Checks that a request that waits in the database at SIGTERM is answered, and that the process then ends without leaving connections."""
    connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    waiting = f"{connections} AND wait_event_type = 'Lock'"
    program = start(DATABASE_URL=fresh_database_url, DRAIN_NOTICE_SECONDS="0.2")
    program.ready()
    with psycopg.connect(fresh_database_url, autocommit=True) as watching, ThreadPoolExecutor() as threads:
        with psycopg.connect(fresh_database_url) as locking:
            locking.execute("LOCK TABLE sign_in_throttles IN ACCESS EXCLUSIVE MODE")
            asked = threads.submit(program.ask, SIGN_IN.replace("session { accessToken }", "userErrors { code }"))
            block_until(lambda: watching.execute(waiting).fetchone()[0] == 1)
            program.process.send_signal(signal.SIGTERM)
            block_until(lambda: program.status("/health/ready") is None)
            assert program.process.poll() is None, "it listens no more, and waits for the request"
            locking.rollback()
            assert asked.result(30)["signIn"]["userErrors"], "answered, though a while after SIGTERM"
        assert program.process.wait(30) == 0
        assert watching.execute(connections).fetchone()[0] == 0


def test_several_workers_answer_and_stop(start, school):
    program = start(WORKERS="2", POOL_MIN_SIZE="1")
    program.ready()
    token = program.token()
    assert {program.ask("{ viewer { role } }", token)["viewer"]["role"] for _ in range(20)} == {"ADMIN"}
    children = subprocess.run(["pgrep", "-P", str(program.process.pid)], capture_output=True, text=True, check=False).stdout.split()
    assert len(children) >= 3, "two workers and PostgreSQL"
    assert program.stop(signal.SIGTERM) == 0
    assert all(until_gone(int(child)) for child in children)
