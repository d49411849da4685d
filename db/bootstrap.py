"""From settings to a database that can be served: started if it is ours, migrated, filled with the demo school if it may be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from config import ConfigurationError, Settings
from db.embedded import EmbeddedServer
from db.migrate import migrate
from db.supervisor import supervised

__all__ = ["ReadyDatabase", "bootstrap"]

# Kept for people, backups and the server's own connections beside the pools (migrations, probes, revocations).
_SPARE = 10


@dataclass(frozen=True, slots=True)
class ReadyDatabase:
    """`url` is what the pools connect to, `has_demo` whether the demo sign-ins are there."""

    url: str
    has_demo: bool
    embedded: bool


@contextmanager
def bootstrap(settings: Settings, say: Callable[[str], None], on_give_up: Callable[[str], None]) -> Iterator[ReadyDatabase]:
    """The database, ready. What is embedded is kept running, and stops when the block ends; `on_give_up` is told why when it is kept no more.

    Raises ConfigurationError when the pools would need more connections than the server allows, MigrationError, ProductionError,
    DataDirectoryInUseError, NoPostgreSQLError, and what psycopg raises when it cannot connect.
    """
    if settings.database_url and settings.direct_url:
        _migrate_and_seed(settings, settings.direct_url, say, demo=bool(settings.demo_data))
        if settings.database_url != settings.direct_url:
            psycopg.connect(settings.database_url).close()  # the workers take this way, and would only log that it leads nowhere
        yield ReadyDatabase(settings.database_url, _has_demo(settings.direct_url), embedded=False)
        return
    needed = settings.workers * settings.pool_max_size + 2 * _SPARE
    server = EmbeddedServer(settings.data_dir, max_connections=max(200, needed), say=say)
    server.start()
    with supervised(server, on_give_up):
        demo = settings.environment != "production" if settings.demo_data is None else settings.demo_data
        _migrate_and_seed(settings, server.url(), say, demo=demo)
        yield ReadyDatabase(server.url(), _has_demo(server.url()), embedded=True)


def _migrate_and_seed(settings: Settings, url: str, say: Callable[[str], None], *, demo: bool) -> None:
    applied = migrate(url, say=say)
    if applied:
        say(f"Applied {len(applied)} migrations.")
    if settings.environment == "production":
        from db.production import mark_production, refuse_demo_accounts  # they import what hashes passwords

        refuse_demo_accounts(url)
        mark_production(url, say)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,"
            " (SELECT count(*) FROM users)"
        ).fetchone()
    allowed, users = row or (0, 0)
    wanted = settings.workers * settings.pool_max_size
    if wanted + _SPARE > allowed:
        raise ConfigurationError(
            f"WORKERS × POOL_MAX_SIZE is {settings.workers} × {settings.pool_max_size} = {wanted}, and {_SPARE} more are needed beside;"
            f" PostgreSQL allows {allowed} connections. Lower one of them, or raise max_connections."
        )
    if demo and users == 0:
        from db.seed import seed  # what it imports is needed once in a database's life

        say("Filling the empty database with the demo school …")
        seed(url, "demo", settings.seed_date or datetime.now().astimezone().date())


def _has_demo(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute("SELECT FROM users WHERE lower(email) = 'admin@demo.school'").fetchone() is not None
