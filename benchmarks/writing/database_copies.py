"""Creates a copy of the district school to write to, and access tokens of its users."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from auth.authenticator import Authenticator
from auth.client_address import UNKNOWN_CLIENT
from benchmarks.contest.contestants import SECRET
from benchmarks.database_urls import with_database
from benchmarks.district_school import SEED_DATE
from config import load_settings
from db.pool import Database

__all__ = ["TODAY", "copied", "tokens"]

# A school day without any attendance: the one after the last seeded day.
TODAY = SEED_DATE + timedelta(days=1)
_NAME = "rollcall_bench_writes"


@contextmanager
def copied(url: str) -> Iterator[str]:
    """Yields the URL of a copy, which is dropped afterwards. Its clock is fixed at noon of `TODAY`.

    There must be no connections to the original database while it is copied, and its user must be allowed to create databases.
    """
    original = sql.Identifier(url.partition("?")[0].rpartition("/")[2])
    copy = sql.Identifier(_NAME)
    beside = with_database(url, "postgres")
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(copy)
    with psycopg.connect(beside, autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(copy, original))
        connection.execute(sql.SQL("ALTER DATABASE {} SET rollcall.now = {}").format(copy, sql.Literal(f"{TODAY} 12:00:00+01")))
    try:
        yield with_database(url, _NAME)
    finally:
        with psycopg.connect(beside, autocommit=True) as connection:
            connection.execute(drop)


async def tokens(url: str, users: Sequence[tuple[UUID, str]]) -> dict[UUID, str]:
    """Returns access tokens of users (id, role), each with its own session, as sign-in would issue them; seeded users have no passwords."""
    settings = load_settings().model_copy(update={"secret_key": SECRET})
    database = await Database.open(settings, url)
    authenticator = Authenticator(database, settings, url)
    found: dict[UUID, str] = {}
    try:
        async with database.transaction() as connection:
            for user_id, role in users:
                granted: Any = await authenticator.sessions.open(connection, user_id, role, UNKNOWN_CLIENT)
                found[user_id] = granted.access_token
    finally:
        await database.close()
    return found
