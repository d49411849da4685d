"""Tests that the logs of a whole server contain no value of a row, statement, password or token after hostile traffic."""

import json
import os
import signal
import socket
import stat
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from db.server_log import BoundedLog
from tests.polling import block_until
from tests.server_process import Program, postmaster
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

MARK = "Zq7-marked-value"
PASSWORD = f"pass-{MARK}"
CONTACT = "mutation ($input: UpdateOwnContactInput!) { updateOwnContact(input: $input) { userErrors { code } } }"
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code } } }"
RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { userErrors { code } } }"
REFRESH = "mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { userErrors { code } } }"


@pytest.fixture(scope="module")
def program():
    program = Program(reachable_folder("log-values"))
    try:
        program.ready()
        yield program
    finally:
        program.stop()


def post(program, body, **headers):
    """Sends a request of any kind and returns the response's status."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{program.base}/graphql", data, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def refused_over_http(program, token):
    signed_in = {"authorization": f"Bearer {token}"}
    for phone in ("\u202e", "\u0000", MARK * 20, " ", "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")):
        post(program, {"query": CONTACT, "variables": {"input": {"phone": phone, "address": f"1 {MARK} Street"}}}, **signed_in)
        post(program, {"query": CONTACT, "variables": {"input": {"address": MARK * 100, "phone": "+1 555 1"}}}, **signed_in)
    for email in ("admin@demo.school", f"{MARK}@nowhere.example", "\u202e@x.example", MARK * 40):
        post(program, {"query": SIGN_IN, "variables": {"input": {"email": email, "password": PASSWORD}}})
    post(program, {"query": RESET, "variables": {"input": {"token": MARK, "password": PASSWORD}}})
    post(program, {"query": REFRESH, "variables": {"input": {"refreshToken": MARK}}})
    post(program, {"query": "{ viewer { role } }"}, authorization=f"Bearer {token[:-4]}{MARK}")
    post(program, {"query": f'{{ node(id: "{MARK}") {{ id }} students(first: "{MARK}") {{ totalCount }} }}'}, **signed_in)
    post(program, f'{{"query": "{MARK}'.encode(), **signed_in)
    post(program, b"\xff" + MARK.encode(), **signed_in)
    with socket.create_connection(("127.0.0.1", program.port), 5) as raw, suppress(OSError):
        raw.sendall(f"GET /{MARK} HTTP/9.9\r\nauthorization: {MARK}\r\n{MARK}\r\n\r\n".encode())
        raw.recv(1000)


def refused_by_postgresql(url):
    """Runs statements that PostgreSQL refuses, although no request is known to cause these."""
    statements = [
        f"UPDATE users SET phone = '\u202e', address = '{MARK}' WHERE email = 'admin@demo.school'",
        f"INSERT INTO users (role, first_name, last_name, email) VALUES ('ADMIN', '{MARK}', 'B', 'admin@demo.school')",
        f"SELECT '{MARK}'::date",
        f"SELECT '{MARK}'::uuid",
        f"DO $$ BEGIN RAISE EXCEPTION '{MARK}'; END $$",
        f"DO $$ BEGIN RAISE WARNING '{MARK}'; END $$",
        f"SELEKT '{MARK}'",
        f"SET statement_timeout = 10; SELECT pg_sleep(1), '{MARK}'",
        f"SET lock_timeout = 10; SELECT '{MARK}'; LOCK TABLE {MARK.replace('-', '_')}",
    ]
    for statement in statements:
        with psycopg.connect(url, autocommit=True) as connection, suppress(psycopg.Error):
            connection.execute(statement)
    with psycopg.connect(url, autocommit=True) as connection, suppress(psycopg.Error):
        connection.execute("SELECT %s::integer", [MARK])


def killed_in_a_statement(url):
    """Kills a backend during a statement. PostgreSQL would log that statement if it were configured to log details."""

    def run():
        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"SELECT pg_sleep(60), '{MARK}'")

    with ThreadPoolExecutor(1) as pool, psycopg.connect(url, autocommit=True) as connection:
        pool.submit(run)
        running = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'"
        block_until(lambda: connection.execute(running).fetchone())
        os.kill(connection.execute(running).fetchone()[0], signal.SIGKILL)


def test_no_log_has_a_value_in_it_after_refused_writes_and_other_hostile_traffic(program):
    data = program.log.parent / "data"
    url = f"postgresql://rollcall@/rollcall?host={data / 'run'}&port=5432"
    token = program.token()
    refused_over_http(program, token)
    refused_by_postgresql(url)
    with psycopg.connect(url) as connection:
        kept = [
            value for row in connection.execute("SELECT email, phone, address, password_hash FROM users LIMIT 50") for value in row if value
        ]
    before = postmaster(program.log.parent)
    killed_in_a_statement(url)
    block_until(lambda: program.status("/health/ready") == 200)
    assert postmaster(program.log.parent) == before, "PostgreSQL has recovered by itself"
    logs = {path.name: path.read_text() for path in [program.log, *data.glob("*.log*"), *data.glob("postgres/log/*")]}
    assert "was terminated by signal 9" in logs["postgres.log"], "what PostgreSQL has to say is still said"
    for name, text in logs.items():
        for secret in (MARK, PASSWORD, token, "$argon2id$", *(value for value in kept if "demo.school" not in value)):
            assert secret not in text, (name, secret)
        lines = [line for line in text.splitlines() if not line.startswith("  ")]  # the greeting lists the demo accounts
        assert not any("@demo.school" in line for line in lines), name


def test_nobody_else_can_read_what_lies_in_the_data_folder(program):
    data = program.log.parent / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for folder, _, files in os.walk(data):
        assert stat.S_IMODE(Path(folder).stat().st_mode) & 0o077 == 0, folder
        for name in files:
            with suppress(FileNotFoundError):  # PostgreSQL may remove files meanwhile
                assert stat.S_IMODE(Path(folder, name).lstat().st_mode) & 0o077 == 0, (folder, name)


def test_the_log_stays_bounded_while_somebody_writes_to_it(tmp_path):
    log = BoundedLog(tmp_path / "postgres.log", max_bytes=10_000)
    with log.open() as writing:  # opened once, as PostgreSQL does
        for number in range(1_000):
            writing.write(b"%05d %s\n" % (number, b"x" * 93))
            if number % 10 == 0:
                log.rotate()
    assert log.path.stat().st_size <= 11_000
    assert log.older.stat().st_size <= 11_000
    assert log.end(1).startswith("00999")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (log.path, log.older)} == {0o600}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["postgres.log", "postgres.log.1"]


def test_a_log_that_others_could_read_is_closed_to_them_when_it_is_opened(tmp_path):
    log = BoundedLog(tmp_path / "postgres.log")
    log.path.write_text("old\n")
    log.older.write_text("older\n")
    log.path.chmod(0o644)
    log.older.chmod(0o644)
    log.open().close()
    assert log.path.read_text() == "old\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (log.path, log.older)} == {0o600}
