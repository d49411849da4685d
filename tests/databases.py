"""Throw-away databases: templates made once, cloned for each file or test, dropped in the end."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from db.embedded import EmbeddedServer
from db.migrate import migrate
from db.seed import seed
from db.urls import with_database

__all__ = ["SEED_DATE", "Databases", "test_server"]

# A Wednesday in the middle of a school year: nothing in the suite depends on when it is run.
SEED_DATE = date(2026, 3, 18)


@contextmanager
def test_server() -> Iterator[str]:
    """The server that the suite runs on: `DATABASE_URL`'s, or one of its own. Gives the address of a database to connect to first."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="rollcall-tests-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer(Path(folder), durable=False, max_connections=400)
        server.start()
        try:
            yield server.url("postgres")
        finally:
            server.stop()


class Databases:
    """The databases of one run on one server, all called `<prefix>_…`."""

    def __init__(self, url: str, prefix: str | None = None) -> None:
        self.url = url
        self.prefix = prefix or f"rollcall_test_{uuid4().hex[:10]}"

    def make_templates(self) -> None:
        """`…_empty` is migrated, `…_demo` is seeded as well."""
        self._run(sql.SQL("CREATE DATABASE {}").format(self._name("empty")))
        migrate(self.address("empty"))
        self.clone("empty", "demo")
        seed(self.address("demo"), "demo", SEED_DATE)

    def address(self, name: str) -> str:
        return with_database(self.url, f"{self.prefix}_{name}")

    def clone(self, template: str, name: str) -> str:
        """A copy of a template that nobody is connected to; its address."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._run(statement.format(self._name(name), self._name(template)))
        return self.address(name)

    def set_clock(self, name: str, now: str) -> None:
        """What the school takes for now in this database, from the next connection on."""
        self._run(sql.SQL("ALTER DATABASE {} SET rollcall.now = {}").format(self._name(name), sql.Literal(now)))

    def blank(self, name: str) -> str:
        """A database without anything in it; its address."""
        self._run(sql.SQL("CREATE DATABASE {}").format(self._name(name)))
        return self.address(name)

    def drop(self, name: str) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(self._name(name)))

    def drop_all(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{self.prefix}\\_%"]).fetchall()
            for (name,) in names:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _name(self, name: str) -> sql.Identifier:
        return sql.Identifier(f"{self.prefix}_{name}")

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)
