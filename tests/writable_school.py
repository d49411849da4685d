"""Builds a copy of the demo school with a fixed clock, for tests that change its data."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from auth.authenticator import Authenticator
from config import Settings
from db.pool import Database
from tests.databases import Databases
from tests.graphql_school import School

__all__ = ["NOW", "writable_school"]

# A Wednesday morning in the demo school, in the middle of lessons.
NOW = "2026-03-18 10:15:00+01:00"


@asynccontextmanager
async def writable_school(databases: Databases, now: str, template: str = "demo") -> AsyncIterator[School]:
    """Yields a copy of one of the suite's templates, with the clock fixed at `now` and a listening authenticator."""
    name = uuid4().hex[:12]
    url = databases.clone(template, name)
    databases.set_clock(name, now)
    database = await Database.open(Settings(environment="test", pool_min_size=1), url)
    school = School(database)
    school.url = url
    school.services.authenticator = Authenticator(database, Settings(environment="test"), url)
    await school.services.authenticator.start()
    try:
        yield school
    finally:
        await school.services.authenticator.stop()
        await database.close()
        databases.drop(name)
