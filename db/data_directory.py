"""Manages the data directory of the embedded PostgreSQL: its location, owner, permissions, and the lock that one server holds on it."""

import fcntl
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from db.postgres_binaries import Account, StartError, reachable

__all__ = ["DataDirectory", "DataDirectoryInUseError"]

_SOCKET_LIMIT = 100  # the kernel's limit is 107 bytes, including the name of the socket
_LAST_RESORT = Path("/var/lib/rollcall/data")
# The files that Rollcall creates in DATA_DIR, and those that a new file system contains.
_OURS = re.compile(r"postgres|postgres\.log(\.1)?|postgres\.making-.*|run|lock|\.?secret_key.*|bench.*|lost\+found")


class DataDirectoryInUseError(StartError):
    """Raised when another process runs PostgreSQL on this data directory."""


class DataDirectory:
    """The directory in which the embedded PostgreSQL keeps its data. Root runs PostgreSQL as `account`.

    `say` receives a message if the data has to be in another place than `path`.
    """

    def __init__(self, path: Path, account: Account | None, say: Callable[[str], None]) -> None:
        self.account = account
        self.path = self._usable(path.resolve(), say)
        self.data = self.path / "postgres"
        self.account = self._owner()
        self.sockets = self._sockets()
        self._lock: int | None = None

    def make(self) -> None:
        """Creates the directory and that of the sockets if they do not exist.

        A directory that contains other files or belongs to another user keeps its owner and mode; the files that Rollcall puts there are protected
        individually.
        """
        for folder in reversed([each for each in (self.path, *self.path.parents) if not each.exists()]):
            folder.mkdir(exist_ok=True)
            if self.account is not None:
                folder.chmod(0o755)
        if self._may_take(self.path):
            self.give(self.path)
            self.path.chmod(0o700)
        # Only PostgreSQL's user may reach the socket: whoever can connect is the superuser of the database.
        with suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
        # In a shared temporary directory any user may have created something with this name before.
        found = self.sockets.lstat()
        owners = {os.geteuid(), *([] if self.account is None else [self.account.uid])}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise StartError(f"{self.sockets} belongs to another user. Remove it, or set DATA_DIR to another folder.")
        self.give(self.sockets)
        self.sockets.chmod(0o700)

    def give(self, path: Path) -> None:
        """Makes PostgreSQL's user the owner of a file that root has created."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def lock(self) -> None:
        """Acquires the lock. The kernel releases it when this process ends in any way. Raises DataDirectoryInUseError."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.give(self.path / "lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise DataDirectoryInUseError(
                f"Another server runs on {self.path}. Stop it, or set DATA_DIR to another folder and PORT to another port."
            ) from None
        self._lock = lock

    def unlock(self) -> None:
        """Releases the lock if it is held, and removes the directory of the sockets if it is a temporary one."""
        if self._lock is None:
            return
        if not self.sockets.is_relative_to(self.path):
            with suppress(OSError):
                self.sockets.rmdir()
        os.close(self._lock)
        self._lock = None

    def _usable(self, folder: Path, say: Callable[[str], None]) -> Path:
        """Returns the directory, or another one if the unprivileged user cannot reach it."""
        if self.account is None:
            return folder
        # A directory that may be taken over is given to that user.
        there = folder.parent if self._may_take(folder) else folder
        if reachable(next(parent for parent in (there, *there.parents) if parent.exists())):
            return folder
        other = _LAST_RESORT / hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        other.mkdir(parents=True, exist_ok=True)
        for parent in (_LAST_RESORT.parent, _LAST_RESORT):
            parent.chmod(0o755)
        say(f"PostgreSQL does not run as root, and other users cannot access {folder}. The data is stored in {other} instead.")
        return other

    def _may_take(self, folder: Path) -> bool:
        """Returns whether a directory does not exist yet, or belongs to this user or PostgreSQL's and contains only files of Rollcall."""
        try:
            if not folder.exists():
                return True
            owners = {os.geteuid(), *([] if self.account is None else [self.account.uid])}
            return folder.stat().st_uid in owners and all(_OURS.fullmatch(each.name) for each in folder.iterdir())
        except OSError:
            return False

    def _owner(self) -> Account | None:
        """Returns the account under which root runs PostgreSQL: the owner of existing data, so that the owner can also start it without root."""
        if self.account is None or not self.data.exists():
            return self.account
        found = self.data.stat()
        return Account(found.st_uid, found.st_gid) if found.st_uid else self.account

    def _sockets(self) -> Path:
        inside = self.path / "run"
        if len(os.fsencode(inside)) < _SOCKET_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"rollcall-{os.getuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}"
