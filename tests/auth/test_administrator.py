"""Tests creating the first administrator on the command line."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from auth.administrator import AdministratorError, make_administrator
from auth.authenticator import Authenticator
from auth.sessions import Granted
from resolvers.password_resets import reset_password
from resolvers.sign_in import sign_in
from tests.auth.school import School

NAME = ("Ada", "Byron")
NEW = "a new and longer password"


def address() -> str:
    return f"{uuid4().hex}@school.example"


@pytest.fixture
async def without_administrators(school: School) -> None:
    await school.database.execute("UPDATE users SET is_active = false WHERE role = 'ADMIN'")


async def role(school: School, worker: Authenticator, email: str, password: str) -> str | None:
    granted = await sign_in(school.context(worker), email, password)
    return (await worker.viewer(f"Bearer {granted.access_token}")).role if isinstance(granted, Granted) else None


@pytest.mark.usefixtures("without_administrators")
async def test_with_a_password_they_sign_in(school: School, worker: Authenticator, connection: Any) -> None:
    email = address()
    assert await make_administrator(connection, email, NAME, NEW, clock=school.clock) is None
    assert await role(school, worker, email, NEW) == "ADMIN"


@pytest.mark.usefixtures("without_administrators")
async def test_without_one_they_get_a_reset(school: School, worker: Authenticator, connection: Any) -> None:
    email = address()
    token = await make_administrator(connection, email, NAME, None, clock=school.clock)
    assert token is not None
    assert await role(school, worker, email, NEW) is None
    assert isinstance(await reset_password(school.context(worker), token, NEW), Granted)
    assert await role(school, worker, email, NEW) == "ADMIN"


@pytest.mark.usefixtures("without_administrators")
async def test_a_second_one_only_by_force(school: School, worker: Authenticator, connection: Any) -> None:
    first, second = address(), address()
    await make_administrator(connection, first, NAME, NEW, clock=school.clock)
    with pytest.raises(AdministratorError, match="--force"):
        await make_administrator(connection, second, NAME, NEW, clock=school.clock)
    assert await school.value("SELECT count(*) FROM users WHERE email = $1", second) == 0
    await make_administrator(connection, second, NAME, NEW, force=True, clock=school.clock)
    assert await role(school, worker, second, NEW) == "ADMIN"
    assert await role(school, worker, first, NEW) == "ADMIN"


@pytest.mark.usefixtures("without_administrators")
async def test_another_account_becomes_an_administrators_only_by_force(school: School, worker: Authenticator, connection: Any) -> None:
    user_id, email = await school.person("TEACHER")
    granted, _ = await school.signed_in(worker, email=email)
    await school.database.execute("UPDATE users SET is_active = false WHERE role = 'ADMIN'")
    with pytest.raises(AdministratorError, match="--force"):
        await make_administrator(connection, email.upper(), NAME, NEW, clock=school.clock)
    assert await school.value("SELECT role FROM users WHERE id = $1", user_id) == "TEACHER"
    await make_administrator(connection, email.upper(), NAME, NEW, force=True, clock=school.clock)
    assert await role(school, worker, email, NEW) == "ADMIN"
    # Sessions that began with the old password have ended.
    assert await school.value("SELECT revoked_because FROM sessions WHERE id = $1", granted.session_id) == "PASSWORD_CHANGED"


@pytest.mark.usefixtures("without_administrators")
@pytest.mark.parametrize(("email", "password"), [("no address", NEW), (None, "short"), (None, "administrator")])
async def test_what_makes_no_sense_makes_nobody(school: School, connection: Any, email: str | None, password: str) -> None:
    before = await school.value("SELECT count(*) FROM users")
    with pytest.raises(AdministratorError):
        await make_administrator(connection, email or address(), NAME, password, clock=school.clock)
    assert await school.value("SELECT count(*) FROM users") == before


@pytest.mark.usefixtures("without_administrators")
@pytest.mark.parametrize("name", [("Ada\u202e", "By\u202eron"), ("\u3164", "Byron"), ("Ada", ""), ("Ada", "x" * 101)])
async def test_a_name_that_is_none_is_refused_before_the_database_sees_it(
    school: School, connection: Any, monkeypatch: pytest.MonkeyPatch, name: tuple[str, str]
) -> None:
    refused: list[Any] = []
    monkeypatch.setattr(asyncpg.CheckViolationError, "__init__", lambda error, *arguments: refused.append(arguments))
    with pytest.raises(AdministratorError, match=r"(?i)last ?name|first ?name"):
        await make_administrator(connection, address(), name, NEW, clock=school.clock)
    assert refused == []


def run(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "auth.administrator", *arguments],
        env={**os.environ, "DATABASE_URL": url},
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("without_administrators")
async def test_the_command_prints_a_reset_when_there_is_nobody_to_ask(school: School, worker: Authenticator) -> None:
    email = address()
    done = run(school.url, "--email", email)
    assert (done.returncode, done.stderr) == (0, "")
    token = next(word for word in done.stdout.split() if word.startswith("rcp_"))
    # The command uses the machine's clock, by which the reset is still valid, whatever the test's clock says.
    school.clock.at = await school.value("SELECT now()")
    assert isinstance(await reset_password(school.context(worker), token, NEW), Granted)
    again = run(school.url, "--email", address())
    assert again.returncode == 1
    assert "--force" in again.stderr


@pytest.mark.usefixtures("without_administrators")
async def test_the_command_makes_up_a_password(school: School, worker: Authenticator) -> None:
    email = address()
    done = run(school.url, "--email", email, "--generate-password")
    assert done.returncode == 0, done.stderr
    password = done.stdout.split("Password: ")[1].split()[0]
    assert await role(school, worker, email, password) == "ADMIN"


async def test_the_command_says_what_is_wrong_in_one_line(school: School) -> None:
    done = run(school.url.replace(urlsplit(school.url).path, "/no_such_database"), "--email", address())
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
