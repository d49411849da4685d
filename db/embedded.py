"""Runs the embedded PostgreSQL: one server for each data directory, owned by the process that started it, reached through a Unix socket."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from config import Settings
from db.data_directory import DataDirectory, DataDirectoryInUseError
from db.disk_space import (
    FIRST_START_BYTES,
    RESTART_BYTES,
    first_start_space_problem,
    free_bytes,
    is_disk_full_error,
    megabytes,
    reports_full_disk,
)
from db.postgres_binaries import Account, Binaries, StartError, find_binaries, unprivileged_account
from db.server_log import SETTINGS as LOG_SETTINGS
from db.server_log import BoundedLog
from db.stale_postmaster import clear_stale_postmaster, postmaster_pid, remove_unfinished_initdb

__all__ = ["DATABASE", "DataDirectoryInUseError", "EmbeddedServer", "StartError", "database_url", "die_with_parent"]

DATABASE = "rollcall"
_USER = "rollcall"


class EmbeddedServer:
    """A PostgreSQL server whose data directory is in `folder`.

    `durable=False` is for tests: it is faster, and may lose all data in a power failure. `max_connections` is PostgreSQL's setting.
    `say` receives messages for the operator.
    """

    def __init__(
        self, folder: Path, *, durable: bool = True, max_connections: int = 200, say: Callable[[str], None] = lambda _: None
    ) -> None:
        account = unprivileged_account()
        self.binaries: Binaries = find_binaries(account)
        self._directory = DataDirectory(folder, account, say)
        self.account = self._directory.account
        self.folder, self.data, self.sockets = self._directory.path, self._directory.data, self._directory.sockets
        self.log = BoundedLog(self.folder / "postgres.log")
        self._durable = durable
        self._max_connections = max_connections
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = DATABASE) -> str:
        """Returns the URL of a database on this server, for asyncpg and psycopg alike."""
        return f"postgresql://{_USER}@/{database}?host={quote(str(self.sockets), safe='')}&port=5432"

    def start(self) -> None:
        """Creates the data directory if it does not exist, and starts the server.

        Raises DataDirectoryInUseError, or StartError with the last lines of PostgreSQL's log.
        """
        try:
            self._directory.make()
            self._directory.lock()
            clear_stale_postmaster(self.data)
            if not self.data.exists() or not any(self.data.iterdir()):
                self._initialise()
            self._check_version()
            self._launch()
            self._wait()
            self._create_database()
        except OSError as error:
            self.stop()
            if is_disk_full_error(error):
                raise StartError(self._full()) from error
            raise StartError(
                f"PostgreSQL's data directory cannot be used: {error}. Set DATA_DIR to a folder that this user may write to."
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the server like `pg_ctl stop -m fast`: clients are disconnected, and committed data is on disk."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:  # it is suspended (SIGSTOP), and reacts to no other signal
                    self.process.kill()
                    self.process.wait(10)
        self.process = None
        self.log.stop()
        self._directory.unlock()

    def restart(self) -> None:
        """Restarts a PostgreSQL that has ended by itself; the lock of the data directory is still held. Raises StartError."""
        try:
            clear_stale_postmaster(self.data)
            self._launch()
            self._wait()
        except OSError as error:
            raise StartError(f"PostgreSQL's data directory cannot be used: {error}") from error
        except StartError:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
            raise

    def is_out_of_disk(self) -> bool:
        """Returns whether PostgreSQL ended or cannot start because its disk is full: too little space is free, or its log says so."""
        try:
            return free_bytes(self.data) < RESTART_BYTES or reports_full_disk(self.log.end(300).rpartition("starting PostgreSQL")[2])
        except OSError:
            return False

    def running(self) -> bool:
        """Returns whether any process runs PostgreSQL on this data directory, ready for connections."""
        return postmaster_pid(self.data) is not None and self._ready()

    def _ready(self) -> bool:
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _initialise(self) -> None:
        """Runs initdb under a temporary name and renames the result, so that an interrupted initdb never looks like a data directory."""
        for cut_short in self.folder.glob("postgres.making-*"):
            remove_unfinished_initdb(cut_short)
        no_room = first_start_space_problem(self.data)
        if no_room is not None:
            raise StartError(no_room)
        making = Path(tempfile.mkdtemp(prefix="postgres.making-", dir=self.folder))
        self._directory.give(making)
        options = ["-D", str(making), "-U", _USER, "-A", "trust", "-E", "UTF8"]
        # The same collation on every machine; names of people are sorted by a separate key.
        options += ["--locale-provider=builtin", "--locale=C.UTF-8"] if self.binaries.major >= 17 else ["--locale=C.UTF-8"]
        if not self._durable:
            options.append("--no-sync")
        elif sys.platform == "linux" and self.binaries.major >= 17:
            options.append("--sync-method=syncfs")  # one call; syncing the thousand files one by one takes three times as long
        try:
            self._run("initdb", *options)
        except StartError:
            remove_unfinished_initdb(making)
            raise
        making.rename(self.data)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check_version(self) -> None:
        try:
            made_by = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise StartError(
                f"{self.data} is not a data directory of PostgreSQL. Move it away, or set DATA_DIR to another folder."
            ) from None
        if made_by != str(self.binaries.major):
            raise StartError(
                f"The data in {self.data} was created by PostgreSQL {made_by}, but the programs found are version {self.binaries.major}"
                f" ({self.binaries.folder}). Install PostgreSQL {made_by} and migrate the data with pg_upgrade or pg_dump,"
                " or set DATA_DIR to another folder."
            )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            env=_environment(),
            preexec_fn=die_with_parent,
            **_as(self.account),
        )
        if done.returncode and reports_full_disk(done.stderr + done.stdout):
            raise StartError(self._full(FIRST_START_BYTES))
        if done.returncode:
            raise StartError(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _launch(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "port": "5432",
            "max_connections": str(self._max_connections),
            "shared_buffers": "256MB" if self._durable else "128MB",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "jit": "off",
            "timezone": "UTC",
            **LOG_SETTINGS,
        }
        if (self.binaries.share / "extension" / "pg_stat_statements.control").exists():
            settings["shared_preload_libraries"] = "pg_stat_statements"
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open() as log:
            self._directory.give(self.log.path)
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # Ctrl-C must not reach it: the launcher stops it after the last request
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes a single system call, which is safe with threads
                **_as(self.account),
            )
        self.log.watch()

    def _wait(self, within: float = 60) -> None:
        assert self.process is not None
        until = time.monotonic() + within
        while time.monotonic() < until:
            if self.process.poll() is not None:
                if self.is_out_of_disk():
                    raise StartError(self._full())
                raise StartError(f"PostgreSQL did not start:\n{self.log.end()}")
            if self._ready() and postmaster_pid(self.data) == self.process.pid:
                return
            time.sleep(0.01)
        raise StartError(f"PostgreSQL was not ready within {within:.0f} s:\n{self.log.end()}")

    def _full(self, needed: int = RESTART_BYTES) -> str:
        """Returns the error message for a full disk."""
        return f"PostgreSQL cannot start because the disk of {self.folder} is full. Free {megabytes(needed)} or more."

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            # Error messages themselves quote values ("invalid input syntax for type date: …"). The errors of a session are reported to its client,
            # so they need not be logged; those of PostgreSQL's own processes are logged.
            quiet = "SELECT FROM pg_roles WHERE rolname = %s AND 'log_min_messages=log' = ANY (rolconfig)"
            if connection.execute(quiet, [_USER]).fetchone() is None:
                connection.execute(f"ALTER ROLE {_USER} SET log_min_messages = 'log'")
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


@contextmanager
def database_url(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """Provides the URL of the database for a command: DATABASE_URL, or the embedded PostgreSQL, which is started for the block if necessary."""
    if settings.direct_url:
        yield settings.direct_url
        return
    server = EmbeddedServer(settings.data_dir, say=say)
    if server.running():
        yield server.url()
        return
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()


def _environment() -> dict[str, str]:
    # The server's environment, above all PG… variables, must not change how PostgreSQL runs.
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C"}


def _as(account: Account | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


# Resolved before any fork: between fork and exec the child of a multi-threaded process should only make the call.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Makes the kernel send SIGINT (for PostgreSQL: fast shutdown) to this process when its parent ends in any way. Linux only.

    Elsewhere a PostgreSQL whose parent was killed keeps running until the next start on its data directory ends it.
    """
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
