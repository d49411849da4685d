"""The disk under the embedded PostgreSQL: how much is free, how much is needed, and whether it is what PostgreSQL complains of."""

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

# A first start takes 45 MB and one with the demo school 145 MB, and the write-ahead log grows from there: `du` on a new DATA_DIR.
FIRST_START_BYTES = 256 * 1024 * 1024
# Two segments of the write-ahead log: one to recover with and one to go on with.
RESTART_BYTES = 32 * 1024 * 1024

_COMPLAINTS = ("No space left on device", "Disk quota exceeded")
_ERRORS = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(data: Path) -> int:
    """What PostgreSQL may still take of the file systems of its data folder and its write-ahead log: the lesser."""
    there = [path for path in (data, data / "pg_wal") if path.exists()] or [next(parent for parent in data.parents if parent.exists())]
    return min(shutil.disk_usage(path).free for path in there)


def is_socket_disk_full(url: str) -> bool:
    """Whether the database is reached by a socket, and the disk that the socket lies on has no room for PostgreSQL to start."""
    host = parse_qs(urlsplit(url).query).get("host", [""])[0]
    try:
        return host.startswith("/") and shutil.disk_usage(host).free < RESTART_BYTES
    except OSError:
        return False


def first_start_space_problem(data: Path) -> str | None:
    """Why there is no room for a new data folder, as a sentence; None when there is."""
    free = free_bytes(data)
    if free >= FIRST_START_BYTES:
        return None
    return (
        f"A first start needs {megabytes(FIRST_START_BYTES)} on the disk of {data.parent}, and {megabytes(free)} are free:"
        " make room, or set DATA_DIR to a folder on another disk."
    )


def is_disk_full_error(error: OSError) -> bool:
    """Whether a call failed because the disk or a quota is full."""
    return error.errno in _ERRORS


def reports_full_disk(text: str) -> bool:
    """Whether a program's messages say that the disk or a quota is full."""
    return any(each in text for each in _COMPLAINTS)


def megabytes(size: int) -> str:
    return f"{size // (1024 * 1024)} MB"
