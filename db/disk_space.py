"""Checks the disk space of the embedded PostgreSQL: how much is free, how much it needs, and whether an error was caused by a full disk."""

import errno
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

__all__ = [
    "FIRST_START_BYTES",
    "RESTART_BYTES",
    "first_start_space_problem",
    "free_bytes",
    "is_disk_full_error",
    "is_socket_disk_full",
    "megabytes",
    "reports_full_disk",
]

# A new DATA_DIR takes 45 MB, with the demo school 145 MB (measured with `du`), and the write-ahead log grows from there.
FIRST_START_BYTES = 256 * 1024 * 1024
# Two segments of the write-ahead log: one for recovery and one to continue.
RESTART_BYTES = 32 * 1024 * 1024

_COMPLAINTS = ("No space left on device", "Disk quota exceeded")
_ERRORS = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(data: Path) -> int:
    """Returns the free space of the file systems of the data directory and its write-ahead log: the lesser of the two."""
    there = [path for path in (data, data / "pg_wal") if path.exists()] or [next(parent for parent in data.parents if parent.exists())]
    return min(shutil.disk_usage(path).free for path in there)


def is_socket_disk_full(url: str) -> bool:
    """Returns whether `url` is a Unix socket on a file system that is too full for PostgreSQL to start."""
    host = parse_qs(urlsplit(url).query).get("host", [""])[0]
    try:
        return host.startswith("/") and shutil.disk_usage(host).free < RESTART_BYTES
    except OSError:
        return False


def first_start_space_problem(data: Path) -> str | None:
    """Returns a sentence that says why there is too little space for a new data directory, or None if there is enough."""
    free = free_bytes(data)
    if free >= FIRST_START_BYTES:
        return None
    return (
        f"A first start needs {megabytes(FIRST_START_BYTES)} on the disk of {data.parent}, but only {megabytes(free)} are free."
        " Free some space, or set DATA_DIR to a folder on another disk."
    )


def is_disk_full_error(error: OSError) -> bool:
    """Returns whether a system call failed because the disk or a quota is full."""
    return error.errno in _ERRORS


def reports_full_disk(text: str) -> bool:
    """Returns whether the output of a program reports that the disk or a quota is full."""
    return any(each in text for each in _COMPLAINTS)


def megabytes(size: int) -> str:
    return f"{size // (1024 * 1024)} MB"
