"""Defines fixtures for authentication on a real database."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from auth.authenticator import Authenticator
from auth.passwords import Passwords
from config import Settings
from db.pool import Database
from tests.auth.school import PASSWORD, HandClock, School


@pytest.fixture(scope="session")
async def password_hash() -> str:
    passwords = Passwords(threads=1)
    try:
        return await passwords.hash(PASSWORD)
    finally:
        passwords.close()


@pytest.fixture
async def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def school(database_url: str, clock: HandClock, password_hash: str) -> AsyncIterator[School]:
    """Returns the school of a file's database, without any throttled accounts."""
    database = await Database.open(Settings(environment="test", pool_min_size=1), database_url)
    made = School(database, database_url, clock, password_hash)
    await database.execute("TRUNCATE sign_in_throttles")
    try:
        yield made
    finally:
        await made.stop()
        await database.close()


@pytest.fixture
async def worker(school: School) -> Authenticator:
    """Returns the worker that most tests use."""
    return await school.worker()


@pytest.fixture
async def connection(school: School) -> AsyncIterator[Any]:
    """Returns a connection outside the pool."""
    made = await asyncpg.connect(school.url)
    try:
        yield made
    finally:
        await made.close()
