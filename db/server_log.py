"""The log of the embedded PostgreSQL: without values, readable for its owner alone, bounded in size."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["SETTINGS", "BoundedLog"]

# What PostgreSQL writes of an error by default has the values of the row (DETAIL), of the statement (STATEMENT) and of its parameters in it.
# A server that the project does not start should have the same: docs/operations.md.
SETTINGS = {
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

_MAX_BYTES = 5 * 1024 * 1024
_LOOK_SECONDS = 1.0


class BoundedLog:
    """A file that PostgreSQL appends to. At `max_bytes` what it holds is moved to one older file, also while PostgreSQL runs.

    The file is emptied in place, since PostgreSQL holds it open: it is opened for appending, so that PostgreSQL goes on at its new end.
    PostgreSQL writes to the file itself and not to a pipe: a pipe that this process is late to read would stop it.
    """

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self.path = path
        self.older = path.with_name(f"{path.name}.1")
        self._max_bytes = max_bytes
        self._watching: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self) -> BinaryIO:
        """Opens the file for appending, for its owner alone, however it was made before."""
        if self.older.exists():
            _open(self.older, os.O_WRONLY).close()
        return _open(self.path, os.O_WRONLY | os.O_APPEND)

    def watch(self, every: float = _LOOK_SECONDS) -> None:
        """Looks at the size every second, in a thread of its own, until `stop`."""
        if self._watching is None:
            self._stopping.clear()
            self._watching = threading.Thread(target=self._watch, args=(every,), name="bounds PostgreSQL's log", daemon=True)
            self._watching.start()

    def stop(self) -> None:
        if self._watching is not None:
            self._stopping.set()
            self._watching.join()
            self._watching = None

    def rotate(self) -> None:
        """Moves what the file holds to the older file when it has reached its size. On a full disk it is not kept."""
        with suppress(OSError), _open(self.path, os.O_RDWR | os.O_APPEND) as log:
            size = os.fstat(log.fileno()).st_size
            if size < self._max_bytes:
                return
            try:
                with _open(self.older, os.O_WRONLY | os.O_TRUNC) as older:
                    # The end of it, when more than that was written since the last look.
                    os.lseek(log.fileno(), max(size - self._max_bytes, 0), os.SEEK_SET)
                    while part := os.read(log.fileno(), 1 << 20):
                        older.write(part)
                os.chown(self.older, os.fstat(log.fileno()).st_uid, os.fstat(log.fileno()).st_gid, follow_symlinks=False)
            except OSError:
                self.older.unlink(missing_ok=True)
            os.ftruncate(log.fileno(), 0)

    def end(self, lines: int = 15) -> str:
        """The last lines."""
        with _open(self.path, os.O_RDONLY) as log:
            size = os.fstat(log.fileno()).st_size
            os.lseek(log.fileno(), max(size - 64 * 1024, 0), os.SEEK_SET)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _watch(self, every: float) -> None:
        while not self._stopping.wait(every):
            self.rotate()


def _open(path: Path, flags: int) -> BinaryIO:
    # Its folder is PostgreSQL's user's, who could have put a link of this name there: root does not follow one.
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, {os.O_RDONLY: "rb", os.O_WRONLY: "wb", os.O_RDWR: "r+b"}[flags & os.O_ACCMODE], buffering=0)  # type: ignore[return-value]
