"""The embedded PostgreSQL: one for each data folder, owned by the process that started it, reached by a Unix socket."""

import ctypes
import fcntl
import hashlib
import os
import re
import signal
import stat
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
from db.binaries import Account, Binaries, StartError, find_binaries, reachable, unprivileged_account
from db.leftovers import clear_leftovers, clear_unfinished, postmaster
from db.server_log import SETTINGS as LOG_SETTINGS
from db.server_log import BoundedLog

__all__ = ["DATABASE", "EmbeddedServer", "FolderInUseError", "StartError", "database_url", "die_with_parent"]

DATABASE = "rollcall"
_USER = "rollcall"
_SOCKET_LIMIT = 100  # the kernel's is 107 bytes, of which the socket's own name takes a part
_LAST_RESORT = Path("/var/lib/rollcall/data")
# What the project puts into a data folder, and what a file system of its own begins with.
_OURS = re.compile(r"postgres|postgres\.log(\.1)?|postgres\.making-.*|run|lock|\.?secret_key.*|bench.*|lost\+found")


class FolderInUseError(StartError):
    """Another process runs PostgreSQL on this data folder."""


class EmbeddedServer:
    """A PostgreSQL on `folder`. `durable=False` is for tests: faster, and it may lose everything in a power cut.

    `max_connections` is what the server allows. `say` is told what a person should know.
    """

    def __init__(
        self, folder: Path, *, durable: bool = True, max_connections: int = 200, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.account = unprivileged_account()
        self.binaries: Binaries = find_binaries(self.account)
        self._say = say
        self.folder = self._usable(folder.resolve())
        self.data = self.folder / "postgres"
        self.account = self._owner()
        self.log = BoundedLog(self.folder / "postgres.log")
        self.sockets = self._sockets()
        self._durable = durable
        self._max_connections = max_connections
        self._lock: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = DATABASE) -> str:
        """The address of a database on this server, for asyncpg and psycopg alike."""
        return f"postgresql://{_USER}@/{database}?host={quote(str(self.sockets), safe='')}&port=5432"

    def start(self) -> None:
        """Makes the data folder if need be, and starts. Raises FolderInUseError, or StartError with the end of PostgreSQL's log."""
        try:
            self._make_folders()
            self._take_lock()
            clear_leftovers(self.data)
            if not self.data.exists() or not any(self.data.iterdir()):
                self._initialise()
            self._check_version()
            self._launch()
            self._wait()
            self._create_database()
        except OSError as error:
            self.stop()
            raise StartError(f"PostgreSQL's data folder cannot be used: {error}. Set DATA_DIR to one that is this user's.") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops as `pg_ctl stop -m fast` does: clients are cut, what was committed is on disk."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:  # it is stopped, and hears nothing else
                    self.process.kill()
                    self.process.wait(10)
        self.process = None
        self.log.stop()
        if self._lock is not None:
            if not self.sockets.is_relative_to(self.folder):
                with suppress(OSError):
                    self.sockets.rmdir()
            os.close(self._lock)
            self._lock = None

    def restart(self) -> None:
        """Starts again when PostgreSQL ended by itself; the folder's lock was held all the time. Raises StartError."""
        try:
            clear_leftovers(self.data)
            self._launch()
            self._wait()
        except OSError as error:
            raise StartError(f"PostgreSQL's data folder cannot be used: {error}") from error
        except StartError:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
            raise

    def running(self) -> bool:
        """Whether some process runs PostgreSQL on this folder and it is ready."""
        return postmaster(self.data) is not None and self._ready()

    def _usable(self, folder: Path) -> Path:
        """The folder, or another when the unprivileged user could not walk to it."""
        if self.account is None:
            return folder
        # A folder that is ours is given to that user.
        there = folder.parent if _is_ours(folder) else folder
        if reachable(next(parent for parent in (there, *there.parents) if parent.exists())):
            return folder
        other = _LAST_RESORT / hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        other.mkdir(parents=True, exist_ok=True)
        for parent in (_LAST_RESORT.parent, _LAST_RESORT):
            parent.chmod(0o755)
        self._say(f"PostgreSQL does not run as root, and other users cannot reach {folder}: the data is in {other}.")
        return other

    def _owner(self) -> Account | None:
        """Whom root runs PostgreSQL as: the user that the data is of already, so that this user can go on without root."""
        if self.account is None or not self.data.exists():
            return self.account
        found = self.data.stat()
        return Account(found.st_uid, found.st_gid) if found.st_uid else self.account

    def _sockets(self) -> Path:
        inside = self.folder / "run"
        if len(os.fsencode(inside)) < _SOCKET_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"rollcall-{os.getuid()}-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]}"

    def _make_folders(self) -> None:
        """Makes the folders that are missing, and the sockets' own. A data folder that holds other things keeps its owner and mode."""
        for folder in reversed([each for each in (self.folder, *self.folder.parents) if not each.exists()]):
            folder.mkdir(exist_ok=True)
            if self.account is not None:
                folder.chmod(0o755)
        if _is_ours(self.folder):
            with suppress(PermissionError):  # another user made it: what lies in it is restricted by itself
                self._give(self.folder)
                self.folder.chmod(0o700)
        # Nobody but PostgreSQL's user may reach the socket: whoever can is the database's superuser.
        with suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
        # In a folder for temporary files anybody may have put something of this name there before us.
        found = self.sockets.lstat()
        owners = {os.geteuid(), *([] if self.account is None else [self.account.uid])}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise StartError(f"{self.sockets} belongs to somebody else. Remove it, or set DATA_DIR to another folder.")
        self._give(self.sockets)
        self.sockets.chmod(0o700)

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def _take_lock(self) -> None:
        # The kernel lets go of it when this process ends, however it ends.
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._give(self.folder / "lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise FolderInUseError(f"Another server runs on {self.folder}. Stop it, or set DATA_DIR (and PORT) to others.") from None
        self._lock = lock

    def _ready(self) -> bool:
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready"
        return False

    def _initialise(self) -> None:
        """Makes the data folder beside its place and moves it there when it is whole: one that was cut short is never taken for one."""
        for cut_short in self.folder.glob("postgres.making-*"):
            clear_unfinished(cut_short)
        making = Path(tempfile.mkdtemp(prefix="postgres.making-", dir=self.folder))
        self._give(making)
        options = ["-D", str(making), "-U", _USER, "-A", "trust", "-E", "UTF8"]
        # The same order of letters on every machine; names are sorted by a key of our own.
        options += ["--locale-provider=builtin", "--locale=C.UTF-8"] if self.binaries.major >= 17 else ["--locale=C.UTF-8"]
        if not self._durable:
            options.append("--no-sync")
        elif sys.platform == "linux" and self.binaries.major >= 17:
            options.append("--sync-method=syncfs")  # one call, where the thousand files one by one took three times as long
        self._run("initdb", *options)
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
            raise StartError(f"{self.data} is not a data folder of PostgreSQL. Move it away, or set DATA_DIR to another folder.") from None
        if made_by != str(self.binaries.major):
            raise StartError(
                f"The data in {self.data} was made by PostgreSQL {made_by}, and the programs found are of {self.binaries.major}"
                f" ({self.binaries.folder}). Install PostgreSQL {made_by} and move the data with pg_upgrade or pg_dump, or set DATA_DIR to another folder."
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
            self._give(self.log.path)
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for us: we stop it when the requests are done
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call, whatever other threads do
                **_as(self.account),
            )
        self.log.watch()

    def _wait(self, within: float = 60) -> None:
        assert self.process is not None
        until = time.monotonic() + within
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise StartError(f"PostgreSQL did not start:\n{self.log.end()}")
            if self._ready() and postmaster(self.data) == self.process.pid:
                return
            time.sleep(0.01)
        raise StartError(f"PostgreSQL was not ready within {within:.0f} s:\n{self.log.end()}")

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            # The messages of errors themselves quote values ("invalid input syntax for type date: …"). A session's errors are answered to it
            # anyway, so they are not logged beside; those of PostgreSQL's own processes are.
            quiet = "SELECT FROM pg_roles WHERE rolname = %s AND 'log_min_messages=log' = ANY (rolconfig)"
            if connection.execute(quiet, [_USER]).fetchone() is None:
                connection.execute(f"ALTER ROLE {_USER} SET log_min_messages = 'log'")
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")


@contextmanager
def database_url(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """The database for a command: `DATABASE_URL`'s, or the embedded one, started for the while when no server runs on it."""
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


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds nothing but what the project puts there, or does not exist yet."""
    try:
        return not folder.exists() or all(_OURS.fullmatch(each.name) for each in folder.iterdir())
    except OSError:
        return False


def _environment() -> dict[str, str]:
    # Nothing of ours, above all no PG… variable, changes how PostgreSQL runs.
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C"}


def _as(account: Account | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


# Found before any fork: the child of a process with threads should do no more than the call.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Linux: the kernel sends SIGINT (to PostgreSQL a fast shutdown) to this process when the one that started it ends, however it ends.

    Elsewhere a PostgreSQL whose parent was killed hard runs on, and the next start on its folder ends it.
    """
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
