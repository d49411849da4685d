"""Creates temporary databases: templates that are built once, cloned for each file or test, and dropped at the end.

Without `DATABASE_URL` the suite starts its own PostgreSQL. The data folder with the templates is built once for each version of the migrations and
the seed, kept in pytest's cache, and copied for each run: initdb, migrations and seed take ten seconds, a copy half a second.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.database_urls import with_database
from config import load_settings
from db.embedded import DATABASE, EmbeddedServer
from db.migrate import migrate
from db.postgres_binaries import find_binaries, unprivileged_account
from db.production import refuse_production
from db.seed import seed

__all__ = ["SEED_DATE", "Databases", "copy_of_a_school", "started_databases"]

# A Wednesday in the middle of a school year, so that nothing in the suite depends on when it is run.
SEED_DATE = date(2026, 3, 18)


_ROOT = Path(__file__).parents[1]
# The files that determine the content of the prepared data folder.
_SOURCES = (
    "migrations/*.sql",
    "db/seed/*",
    "db/checks/*.sql",
    "db/books.py",
    "db/demo_accounts.py",
    "db/embedded.py",
    "db/migrate.py",
    "tests/databases.py",
)
_OWN_PREFIX = "rollcall_test"


@contextmanager
def started_databases(cache: Path) -> Iterator["Databases"]:
    """Yields the databases of a run, templates included: on `DATABASE_URL`'s server, or on one started from the data folder kept in `cache`."""
    given = os.environ.get("DATABASE_URL")
    if given:
        refuse_production(given, load_settings(), "the suite")
        databases = Databases(given)
        try:
            databases.make_templates()
            yield databases
        finally:
            databases.drop_all()
        return
    prepared = _prepared_folder(cache) / "suite"
    with tempfile.TemporaryDirectory(prefix="rollcall-tests-") as folder:
        Path(folder).chmod(0o755)
        _copy(prepared, Path(folder))
        with _running(Path(folder)) as url:
            yield Databases(url, _OWN_PREFIX)


@contextmanager
def _running(folder: Path) -> Iterator[str]:
    server = EmbeddedServer(folder, durable=False, max_connections=400)
    server.start()
    try:
        yield server.url("postgres")
    finally:
        server.stop()


def copy_of_a_school(cache: Path, folder: Path) -> None:
    """Copies into `folder` what a first `make run` leaves in its DATA_DIR: a PostgreSQL with the demo school."""
    _copy(_prepared_folder(cache) / "server", folder)


def _copy(prepared: Path, folder: Path) -> None:
    # When the suite runs as root, the files belong to PostgreSQL's own user, and must do so in the copy.
    subprocess.run(["cp", "-a", "--reflink=auto", prepared / "postgres", folder], check=True)


def _prepared_folder(cache: Path) -> Path:
    """Returns the folder with the data folders of the suite's PostgreSQL (`suite`) and of a server with the demo school (`server`).

    Builds it if there is none for the current migrations and seed, and removes those of other versions.
    """
    digest = hashlib.sha256(f"{SEED_DATE} {os.getuid()} {find_binaries(unprivileged_account()).major}".encode())
    for path in sorted(path for pattern in _SOURCES for path in _ROOT.glob(pattern) if path.is_file()):
        digest.update(path.name.encode() + path.read_bytes())
    prepared = cache / digest.hexdigest()[:16]
    with (cache / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if prepared.exists():
            return prepared
        for other in cache.iterdir():
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
        unfinished = cache / "unfinished"
        for name in ("suite", "server"):
            with tempfile.TemporaryDirectory(prefix="rollcall-tests-") as folder:
                Path(folder).chmod(0o755)
                if name == "server":
                    _copy(unfinished / "suite", Path(folder))
                with _running(Path(folder)) as url:
                    databases = Databases(url, _OWN_PREFIX)
                    if name == "suite":
                        databases.make_templates()
                    else:
                        databases.become_a_server()
                (unfinished / name).mkdir(parents=True)
                _copy(Path(folder), unfinished / name)
        unfinished.rename(prepared)
    return prepared


class Databases:
    """Creates and drops the databases of one test run on one server, all named `<prefix>_…`."""

    def __init__(self, url: str, prefix: str | None = None) -> None:
        self.url = url
        self.prefix = prefix or f"rollcall_test_{uuid4().hex[:10]}"

    def make_templates(self) -> None:
        """Creates the templates: `…_empty` is migrated, `…_demo` also has the demo school, and `…_school` a school of a thousand students."""
        self._run(sql.SQL("CREATE DATABASE {}").format(self._name("empty")))
        migrate(self.address("empty"))
        for scale in ("demo", "school"):
            self.clone("empty", scale)
            seed(self.address(scale), scale, SEED_DATE)

    def become_a_server(self) -> None:
        """Leaves only the database that a server's own PostgreSQL has, with the demo school."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(DATABASE)))
        self._run(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(self._name("demo"), sql.Identifier(DATABASE)))
        self.drop("empty")
        self.drop("school")

    def address(self, name: str) -> str:
        return with_database(self.url, f"{self.prefix}_{name}")

    def clone(self, template: str, name: str) -> str:
        """Creates a copy of a template, to which there must be no connections, and returns its URL."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        self._run(statement.format(self._name(name), self._name(template)))
        return self.address(name)

    def set_clock(self, name: str, now: str) -> None:
        """Fixes the school's clock in this database, from the next connection on."""
        self._run(sql.SQL("ALTER DATABASE {} SET rollcall.now = {}").format(self._name(name), sql.Literal(now)))

    def blank(self, name: str) -> str:
        """Creates a database without any tables and returns its URL."""
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
