"""The suite's PostgreSQL, its databases, and a school to ask."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from config import Settings
from db.pool import Database
from tests.asking import School
from tests.databases import Databases, test_server
from tests.writable import NOW, writable_school

SECRET = "the secret of every server in this suite"
_RUN = pytest.StashKey[tuple[ExitStack, Databases]]()


def pytest_configure(config: pytest.Config) -> None:
    """One server and one set of templates for all workers: made by the process that starts them. And one secret."""
    os.environ["SECRET_KEY"] = SECRET
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help:
        return
    stack = ExitStack()
    databases = Databases(stack.enter_context(test_server()))
    stack.callback(databases.drop_all)
    try:
        databases.make_templates()
    except BaseException:
        stack.close()
        raise
    config.stash[_RUN] = (stack, databases)


def pytest_configure_node(node: Any) -> None:
    databases = node.config.stash[_RUN][1]
    node.workerinput["databases"] = (databases.url, databases.prefix)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _RUN in config.stash:
        config.stash[_RUN][0].close()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Databases:
    """Where databases are made."""
    workerinput = getattr(request.config, "workerinput", None)
    if workerinput is not None:
        return Databases(*workerinput["databases"])
    return request.config.stash[_RUN][1]


def _cloned(databases: Databases, template: str) -> Iterator[str]:
    name = uuid4().hex[:12]
    yield databases.clone(template, name)
    databases.drop(name)


@pytest.fixture(scope="module")
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty database for one file of tests."""
    yield from _cloned(databases, "empty")


@pytest.fixture
def fresh_database_url(databases: Databases) -> Iterator[str]:
    """A migrated, empty database for one test."""
    yield from _cloned(databases, "empty")


@pytest.fixture
def blank_database_url(databases: Databases) -> Iterator[str]:
    """A database without anything in it, for one test."""
    name = uuid4().hex[:12]
    yield databases.blank(name)
    databases.drop(name)


@pytest.fixture(scope="module")
def demo_url(databases: Databases) -> Iterator[str]:
    """The demo school for one file of tests."""
    yield from _cloned(databases, "demo")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(demo_url: str) -> AsyncIterator[School]:
    """The demo school, to be asked through GraphQL."""
    database = await Database.open(Settings(environment="test", pool_min_size=1), demo_url)
    try:
        yield School(database)
    finally:
        await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def writable(databases: Databases) -> AsyncIterator[School]:
    """A demo school whose clock stands on the day it was seeded for, and whose data a file's tests change."""
    async with writable_school(databases, NOW) as school:
        yield school
