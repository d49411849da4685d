"""Makes the database ready to serve: starts the embedded PostgreSQL if there is no other, applies migrations, and loads the demo data."""

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

# Connections reserved for people, backups, and the server's own connections outside the pools (migrations, probes, revocations).
_RESERVED = 10


@dataclass(frozen=True, slots=True)
class ReadyDatabase:
    """A database that has been migrated. The pools connect to `url`; `has_demo` says whether it has the demo accounts."""

    url: str
    has_demo: bool
    embedded: bool


@contextmanager
def bootstrap(settings: Settings, say: Callable[[str], None], on_give_up: Callable[[str], None]) -> Iterator[ReadyDatabase]:
    """Makes the database ready to serve for the duration of the block. An embedded PostgreSQL is supervised, and stopped after the block.

    `say` receives progress messages. `on_give_up(reason)` is called if the embedded PostgreSQL cannot be kept running. Raises ConfigurationError
    if the pools would need more connections than the server allows, MigrationError, ProductionError, DataDirectoryInUseError,
    NoPostgreSQLError, and psycopg's errors if it cannot connect.
    """
    if settings.database_url and settings.direct_url:
        _migrate_and_seed(settings, settings.direct_url, say, demo=bool(settings.demo_data))
        if settings.database_url != settings.direct_url:
            psycopg.connect(settings.database_url).close()  # the workers use this address, and would only log that it is wrong
        yield ReadyDatabase(settings.database_url, _has_demo(settings.direct_url), embedded=False)
        return
    needed = settings.workers * settings.pool_max_size + 2 * _RESERVED
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
        from db.production import mark_production, refuse_demo_accounts  # imported late: it loads the password hasher

        refuse_demo_accounts(url)
        mark_production(url, say)
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,"
            " (SELECT count(*) FROM users)"
        ).fetchone()
    allowed, users = row or (0, 0)
    required = settings.workers * settings.pool_max_size
    if required + _RESERVED > allowed:
        raise ConfigurationError(
            f"WORKERS × POOL_MAX_SIZE is {settings.workers} × {settings.pool_max_size} = {required}, plus {_RESERVED} reserved connections;"
            f" PostgreSQL allows {allowed}. Lower WORKERS or POOL_MAX_SIZE, or raise PostgreSQL's max_connections."
        )
    if demo and users == 0:
        from db.seed import seed  # imported late: needed once in the life of a database

        say("Loading the demo school into the empty database …")
        seed(url, "demo", settings.seed_date or datetime.now().astimezone().date())


def _has_demo(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute("SELECT FROM users WHERE lower(email) = 'admin@demo.school'").fetchone() is not None
