"""Tests that production never has demo accounts: not from the seed, nor from a benchmark, nor from a database that already has them."""

import os
import subprocess
import sys

import psycopg
import pytest
from argon2 import PasswordHasher

from config import ConfigurationError, Settings
from db.bootstrap import bootstrap
from db.demo_accounts import DEMO_PASSWORD, demo_accounts
from db.production import ProductionError, is_production, mark_production
from db.seed import seed
from tests.databases import SEED_DATE
from tests.server_process import ROOT
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

SECRET = "s" * 40
ROLES = ["admin", "bursar", "guardian", "student", "teacher"]


def run(module, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={"PATH": os.environ["PATH"], "SECRET_KEY": SECRET} | environment,
    )  # fmt: skip


def users(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM users").fetchone()[0]


def start(url):
    """Prepares the database as a production server does at its start."""
    settings = Settings(environment="production", secret_key=SECRET, database_url=url)
    with bootstrap(settings, lambda _: None, pytest.fail):
        pass


def test_the_seed_refuses_production_before_it_starts_anything():
    folder = reachable_folder("production")
    done = run("db.seed", ENVIRONMENT="production", DATA_DIR=str(folder / "data"))
    assert done.returncode == 1
    assert "production" in done.stderr
    assert not (folder / "data").exists()


def test_a_database_that_production_has_used_is_not_seeded_from_a_shell_that_does_not_say_production(fresh_database_url):
    start(fresh_database_url)
    for module in ("db.seed", "benchmarks.plans", "benchmarks.revocation_latency"):
        done = run(module, DATABASE_URL=fresh_database_url)
        assert done.returncode != 0, module
        assert "production database" in done.stderr, module
    with pytest.raises(ProductionError):
        seed(fresh_database_url, "demo", SEED_DATE)
    assert users(fresh_database_url) == 0


def test_a_production_server_does_not_start_on_a_database_with_demo_accounts(databases, demo_url):
    done = run("launcher", ENVIRONMENT="production", DATABASE_URL=demo_url, PORT="0")
    assert done.returncode == 1
    assert "Rollcall did not start" in done.stderr
    assert "admin@demo.school" in done.stderr
    assert "docs/operations.md" in done.stderr
    with psycopg.connect(demo_url) as connection:
        assert not is_production(connection, Settings()), "a start that was refused leaves no mark"


def test_it_does_not_fill_an_embedded_one_and_does_not_start_on_one_that_was_filled():
    folder = reachable_folder("production")
    settings = {"environment": "production", "secret_key": SECRET, "data_dir": folder / "data"}
    with bootstrap(Settings(**settings), lambda _: None, pytest.fail) as database:
        assert not database.has_demo
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("ALTER DATABASE rollcall RESET rollcall.environment")
        seed(database.url, "demo", SEED_DATE)
    with pytest.raises(ConfigurationError, match=r"admin@demo\.school"), bootstrap(Settings(**settings), lambda _: None, pytest.fail):
        pass


def test_an_account_is_a_demo_account_as_long_as_the_demo_password_opens_it(databases):
    url = databases.clone("demo", "opened")
    try:
        assert demo_accounts(url) == [f"{role}@demo.school" for role in ROLES]
        changes = {
            "teacher@demo.school": ("password_hash", PasswordHasher().hash("another password")),
            "student@demo.school": ("is_active", False),
            "bursar@demo.school": ("email", "bursar@school.example"),
            "guardian@demo.school": ("password_hash", PasswordHasher().hash(DEMO_PASSWORD)),
        }
        with psycopg.connect(url, autocommit=True) as connection:
            for email, (column, value) in changes.items():
                connection.execute(f"UPDATE users SET {column} = %s WHERE email = %s", [value, email])
        assert demo_accounts(url) == ["admin@demo.school", "bursar@school.example", "guardian@demo.school"]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("UPDATE users SET is_active = false WHERE email = ANY (%s)", [demo_accounts(url)])
        start(url)
    finally:
        databases.drop("opened")


def test_the_mark_is_made_once_and_can_be_taken_away(fresh_database_url):
    said = []
    with psycopg.connect(fresh_database_url, autocommit=True) as connection:
        assert is_production(connection, Settings(environment="production", secret_key=SECRET))
        assert not is_production(connection, Settings())
        mark_production(fresh_database_url, said.append)
        mark_production(fresh_database_url, said.append)
        assert is_production(connection, Settings())
        connection.execute(f'ALTER DATABASE "{connection.info.dbname}" RESET rollcall.environment')
        assert not is_production(connection, Settings())
    assert said == []
