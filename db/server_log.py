"""Manages the log file of the embedded PostgreSQL: without values, readable by its owner only, bounded in size."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["SETTINGS", "BoundedLog"]

# By default PostgreSQL logs the values of the row (DETAIL), of the statement (STATEMENT) and of its parameters with each error.
# A server that Rollcall does not start should have the same settings: docs/operations.md.
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
    """A log file that PostgreSQL appends to. At `max_bytes` its content is moved to one older file, even while PostgreSQL is running.

    The file is truncated in place, because PostgreSQL holds it open (for appending, so that it continues at the new end).
    PostgreSQL writes to a file and not to a pipe, because it would block if this process read the pipe too slowly.
    """

    def __init__(self, path: Path, *, max_bytes: int = _MAX_BYTES) -> None:
        self.path = path
        self.older = path.with_name(f"{path.name}.1")
        self._max_bytes = max_bytes
        self._watching: threading.Thread | None = None
        self._stopping = threading.Event()

    def open(self) -> BinaryIO:
        """Opens the file for appending, and makes it readable by its owner only."""
        if self.older.exists():
            _open(self.older, os.O_WRONLY).close()
        return _open(self.path, os.O_WRONLY | os.O_APPEND)

    def watch(self, every: float = _LOOK_SECONDS) -> None:
        """Checks the size every `every` seconds, in a separate thread, until `stop` is called."""
        if self._watching is None:
            self._stopping.clear()
            self._watching = threading.Thread(target=self._watch, args=(every,), name="PostgreSQL log rotation", daemon=True)
            self._watching.start()

    def stop(self) -> None:
        if self._watching is not None:
            self._stopping.set()
            self._watching.join()
            self._watching = None

    def rotate(self) -> None:
        """Moves the content to the older file if the maximum size is reached. On a full disk the content is discarded."""
        with suppress(OSError), _open(self.path, os.O_RDWR | os.O_APPEND) as log:
            size = os.fstat(log.fileno()).st_size
            if size < self._max_bytes:
                return
            try:
                with _open(self.older, os.O_WRONLY | os.O_TRUNC) as older:
                    # Only the end, if more than the maximum was written since the last check.
                    os.lseek(log.fileno(), max(size - self._max_bytes, 0), os.SEEK_SET)
                    while part := os.read(log.fileno(), 1 << 20):
                        older.write(part)
                os.chown(self.older, os.fstat(log.fileno()).st_uid, os.fstat(log.fileno()).st_gid, follow_symlinks=False)
            except OSError:
                self.older.unlink(missing_ok=True)
            os.ftruncate(log.fileno(), 0)

    def end(self, lines: int = 15) -> str:
        """Returns the last lines of the log."""
        with _open(self.path, os.O_RDONLY) as log:
            size = os.fstat(log.fileno()).st_size
            os.lseek(log.fileno(), max(size - 64 * 1024, 0), os.SEEK_SET)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _watch(self, every: float) -> None:
        while not self._stopping.wait(every):
            self.rotate()


def _open(path: Path, flags: int) -> BinaryIO:
    # PostgreSQL's user owns the directory and could have placed a symbolic link here, which root must not follow.
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, {os.O_RDONLY: "rb", os.O_WRONLY: "wb", os.O_RDWR: "r+b"}[flags & os.O_ACCMODE], buffering=0)  # type: ignore[return-value]
