"""Defines fixtures: the suite's PostgreSQL, its databases, and schools to query."""

import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import settings

if TYPE_CHECKING:
    from tests.databases import Databases
    from tests.graphql_school import School

# The suite starts the server as a program dozens of times. Without bytecode files each start would spend a second compiling modules.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SECRET = "the secret of every server in this suite"
# Not in a hook, because the conftest of a folder named on the command line is imported, and reads the settings, before any hook runs.
os.environ["SECRET_KEY"] = SECRET
# Up to this number of test files run faster in one process, because each worker has to import the whole server.
_FILES_WITHOUT_WORKERS = 8
# Two workers per processor, since many tests wait for a process to start or for time to pass. More would overload the single PostgreSQL.
_WORKERS_PER_PROCESSOR, _MOST_WORKERS = 2, 8
# The assumed duration of a file that starts processes, and of any other file, until it has been measured.
_SECONDS_WITH_PROCESSES, _SECONDS = 60.0, 5.0
_DURATIONS = "rollcall/seconds_by_file"
_measured: defaultdict[str, float] = defaultdict(float)
_STARTED = pytest.StashKey[tuple[ExitStack, "Databases"]]()

# HYPOTHESIS_PROFILE=thorough tries twenty times as many examples. Every run tries new examples, and repeats those that failed.
settings.register_profile("suite", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Runs a few named files in this process, and everything else in several workers."""
    named = [Path(argument.partition("::")[0]) for argument in config.args]
    files = sum(len(list(path.rglob("test_*.py"))) if path.is_dir() else 1 for path in named)
    return 0 if files <= _FILES_WITHOUT_WORKERS else min(_WORKERS_PER_PROCESSOR * (os.cpu_count() or 1), _MOST_WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    """Starts PostgreSQL in the controlling process if there are workers, since they share it and it must outlive each of them."""
    if config.option.tx and not config.option.collectonly:
        _start(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lets workers begin with the files that took longest in the last run, so that no worker is still busy with one when the others have finished."""
    workerinput = getattr(config, "workerinput", None)
    if workerinput is None:
        return
    seconds = dict(workerinput["seconds_by_file"])
    for item in items:
        expected = _SECONDS_WITH_PROCESSES if item.get_closest_marker("processes") else _SECONDS
        seconds.setdefault(_file_of(item.nodeid), expected)
    items.sort(key=lambda item: -seconds[_file_of(item.nodeid)])


def pytest_collection_finish() -> None:
    """Configures tracebacks to be logged without the values of local variables, as the server does: with them each takes half a second."""
    if "structlog" in sys.modules:
        import structlog

        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        structlog.configure(processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, renderer])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _measured[_file_of(report.nodeid)] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Saves how long each file took, for the order of the next run."""
    cache = session.config.cache
    if cache is not None and not hasattr(session.config, "workerinput"):
        cache.set(_DURATIONS, cache.get(_DURATIONS, {}) | {file: round(seconds, 1) for file, seconds in _measured.items()})


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _start(config: pytest.Config) -> "Databases":
    """Starts the suite's PostgreSQL, which pytest_unconfigure stops."""
    from tests.databases import started_databases

    assert config.cache is not None
    stack = ExitStack()
    databases = stack.enter_context(started_databases(config.cache.mkdir("postgres")))
    config.stash[_STARTED] = (stack, databases)
    return databases


def pytest_configure_node(node: Any) -> None:
    databases = node.config.stash[_STARTED][1]
    node.workerinput["seconds_by_file"] = node.config.cache.get(_DURATIONS, {})
    node.workerinput["databases"] = (databases.url, databases.prefix)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _STARTED in config.stash:
        config.stash[_STARTED][0].close()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> "Databases":
    """Returns the factory of databases. In a run without workers the first test that uses it starts PostgreSQL."""
    from tests.databases import Databases

    workerinput = getattr(request.config, "workerinput", None)
    return Databases(*workerinput["databases"]) if workerinput is not None else _start(request.config)


@pytest.fixture
def fill_data_dir(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """Returns a function that fills a DATA_DIR as a first `make run` leaves it, with the demo school."""

    def fill(folder: Path) -> None:
        from tests.databases import copy_of_a_school

        folder.mkdir(exist_ok=True)
        copy_of_a_school(request.config.cache.mkdir("postgres"), folder)

    return fill


def _cloned(databases: "Databases", template: str) -> Iterator[str]:
    name = uuid4().hex[:12]
    yield databases.clone(template, name)
    databases.drop(name)


@pytest.fixture(scope="module")
def database_url(databases: "Databases") -> Iterator[str]:
    """Returns the URL of a migrated, empty database, shared by the tests of a file."""
    yield from _cloned(databases, "empty")


@pytest.fixture
def fresh_database_url(databases: "Databases") -> Iterator[str]:
    """Returns the URL of a migrated, empty database for one test."""
    yield from _cloned(databases, "empty")


@pytest.fixture
def blank_database_url(databases: "Databases") -> Iterator[str]:
    """Returns the URL of a database without any tables, for one test."""
    name = uuid4().hex[:12]
    yield databases.blank(name)
    databases.drop(name)


@pytest.fixture(scope="module")
def demo_url(databases: "Databases") -> Iterator[str]:
    """Returns the URL of a database with the demo school, shared by the tests of a file."""
    yield from _cloned(databases, "demo")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(demo_url: str) -> AsyncIterator["School"]:
    """Yields the demo school, which is queried through GraphQL."""
    from config import Settings
    from db.pool import Database
    from tests.graphql_school import School

    database = await Database.open(Settings(environment="test", pool_min_size=1), demo_url)
    try:
        yield School(database)
    finally:
        await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def writable(databases: "Databases") -> AsyncIterator["School"]:
    """Yields a demo school whose clock is fixed on the day for which it was seeded, and whose data the tests of a file may change."""
    from tests.writable_school import NOW, writable_school

    async with writable_school(databases, NOW) as school:
        yield school
