"""Cleans up after a PostgreSQL that was killed: a stale postmaster.pid, and orphaned backends that still hold its shared memory."""

import os
import shutil
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

__all__ = ["clear_stale_postmaster", "postmaster_pid", "remove_unfinished_initdb"]


def postmaster_pid(data: Path) -> int | None:
    """Returns the process id in postmaster.pid if that process is running PostgreSQL on this data directory, or None.

    After a crash or a reboot another process may have the same id.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        return pid if _runs_on(psutil.Process(pid), data.resolve()) else None
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None


def clear_stale_postmaster(data: Path, within: float = 30) -> None:
    """Ends every PostgreSQL process on a data directory and removes its postmaster.pid. The caller must hold the directory's lock.

    A running postmaster is shut down (SIGINT, fast shutdown). Orphaned backends are ended at once: one in the middle of a statement would keep
    the shared memory, and PostgreSQL would refuse to start. No committed data is lost. `within` is in seconds.
    """
    if not (data / "postmaster.pid").exists():
        return
    where = data.resolve()
    living = postmaster_pid(data)
    _end([process for process in _all_on(where) if process.pid == living], signal.SIGINT, where, within)
    for sent in (signal.SIGQUIT, signal.SIGKILL):
        _end(_all_on(where), sent, where, 5)
    # If the pid belongs to an unrelated process by now, PostgreSQL itself would take that for a running server.
    (data / "postmaster.pid").unlink(missing_ok=True)


def remove_unfinished_initdb(making: Path, within: float = 10) -> None:
    """Removes the directory of an interrupted initdb. The caller must hold the lock of the data directory. `within` is in seconds.

    initdb may outlive its killed parent for a moment and write into the directory while it is being removed, so it is ended first.
    """
    until = time.monotonic() + within
    while making.exists() and time.monotonic() < until:
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.name().startswith(("initdb", "postgres")) and str(making) in process.cmdline():
                    process.kill()
        shutil.rmtree(making, ignore_errors=True)
        if making.exists():
            time.sleep(0.02)


def _all_on(where: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _runs_on(process, where)]


def _runs_on(process: psutil.Process, where: Path) -> bool:
    """Returns whether a process is PostgreSQL on this data directory: only its processes have that name and that working directory."""
    try:
        return process.name().startswith("postgres") and process.cwd() == str(where)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _end(processes: Iterable[psutil.Process], sent: signal.Signals, where: Path, within: float) -> None:
    left = list(processes)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process.pid, sent)
    until = time.monotonic() + within
    # Checks each process instead of waiting for its pid to vanish: in a container whose PID 1 doesn't reap orphans, zombies stay listed.
    while (left := [process for process in left if _runs_on(process, where)]) and time.monotonic() < until:
        time.sleep(0.02)
