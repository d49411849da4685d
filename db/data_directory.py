"""The folder of an embedded PostgreSQL: where it is, whose it is, who may read it, and the lock that one server holds on it."""

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

_SOCKET_LIMIT = 100  # the kernel's is 107 bytes, of which the socket's own name takes a part
_LAST_RESORT = Path("/var/lib/rollcall/data")
# What the project puts into a data folder, and what a file system of its own begins with.
_OURS = re.compile(r"postgres|postgres\.log(\.1)?|postgres\.making-.*|run|lock|\.?secret_key.*|bench.*|lost\+found")


class DataDirectoryInUseError(StartError):
    """Another process runs PostgreSQL on this data folder."""


class DataDirectory:
    """A folder for PostgreSQL, which root runs as `account`. `say` is told when the data lies elsewhere than where it was asked for."""

    def __init__(self, path: Path, account: Account | None, say: Callable[[str], None]) -> None:
        self.account = account
        self.path = self._usable(path.resolve(), say)
        self.data = self.path / "postgres"
        self.account = self._owner()
        self.sockets = self._sockets()
        self._lock: int | None = None

    def make(self) -> None:
        """Makes the folders that are missing, and the sockets' own.

        A data folder that holds other things, or that another user made, keeps its owner and mode: what the project puts there is closed by itself.
        """
        for folder in reversed([each for each in (self.path, *self.path.parents) if not each.exists()]):
            folder.mkdir(exist_ok=True)
            if self.account is not None:
                folder.chmod(0o755)
        if self._may_take(self.path):
            self.give(self.path)
            self.path.chmod(0o700)
        # Nobody but PostgreSQL's user may reach the socket: whoever can is the database's superuser.
        with suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
        # In a folder for temporary files anybody may have put something of this name there before us.
        found = self.sockets.lstat()
        owners = {os.geteuid(), *([] if self.account is None else [self.account.uid])}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
            raise StartError(f"{self.sockets} belongs to somebody else. Remove it, or set DATA_DIR to another folder.")
        self.give(self.sockets)
        self.sockets.chmod(0o700)

    def give(self, path: Path) -> None:
        """Makes PostgreSQL's user the owner of what root has made."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def lock(self) -> None:
        """Takes the lock, which the kernel releases when this process ends, however it ends. Raises DataDirectoryInUseError."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self.give(self.path / "lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise DataDirectoryInUseError(f"Another server runs on {self.path}. Stop it, or set DATA_DIR (and PORT) to others.") from None
        self._lock = lock

    def unlock(self) -> None:
        """Releases the lock if it is held, and removes the sockets' folder if that is a temporary one."""
        if self._lock is None:
            return
        if not self.sockets.is_relative_to(self.path):
            with suppress(OSError):
                self.sockets.rmdir()
        os.close(self._lock)
        self._lock = None

    def _usable(self, folder: Path, say: Callable[[str], None]) -> Path:
        """The folder, or another when the unprivileged user could not walk to it."""
        if self.account is None:
            return folder
        # A folder that may be taken is given to that user.
        there = folder.parent if self._may_take(folder) else folder
        if reachable(next(parent for parent in (there, *there.parents) if parent.exists())):
            return folder
        other = _LAST_RESORT / hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        other.mkdir(parents=True, exist_ok=True)
        for parent in (_LAST_RESORT.parent, _LAST_RESORT):
            parent.chmod(0o755)
        say(f"PostgreSQL does not run as root, and other users cannot reach {folder}: the data is in {other}.")
        return other

    def _may_take(self, folder: Path) -> bool:
        """Whether a folder holds nothing but what the project puts there, and is this user's or PostgreSQL's, or does not exist yet."""
        try:
            if not folder.exists():
                return True
            owners = {os.geteuid(), *([] if self.account is None else [self.account.uid])}
            return folder.stat().st_uid in owners and all(_OURS.fullmatch(each.name) for each in folder.iterdir())
        except OSError:
            return False

    def _owner(self) -> Account | None:
        """Whom root runs PostgreSQL as: the user that the data is of already, so that this user can go on without root."""
        if self.account is None or not self.data.exists():
            return self.account
        found = self.data.stat()
        return Account(found.st_uid, found.st_gid) if found.st_uid else self.account

    def _sockets(self) -> Path:
        inside = self.path / "run"
        if len(os.fsencode(inside)) < _SOCKET_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"rollcall-{os.getuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}"
