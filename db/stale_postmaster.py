"""What a PostgreSQL that was killed hard leaves behind: its postmaster.pid, and processes that still hold its memory."""

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
    """The process id in postmaster.pid, when that process lives and is PostgreSQL on this data folder.

    After a hard kill or a restart of the machine the number may be anybody's by now.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        return pid if _runs_on(psutil.Process(pid), data.resolve()) else None
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None


def clear_stale_postmaster(data: Path, within: float = 30) -> None:
    """Ends every PostgreSQL process on a data folder and removes its postmaster.pid. The caller holds the folder's lock, so none is wanted.

    A postmaster that has lost its parent shuts down fast. Processes that have lost their postmaster are told to go at once: one that is in
    the middle of a statement would keep the shared memory, and PostgreSQL would not start beside it. Nothing committed is lost either way.
    """
    if not (data / "postmaster.pid").exists():
        return
    where = data.resolve()
    living = postmaster_pid(data)
    _end([process for process in _all_on(where) if process.pid == living], signal.SIGINT, where, within)
    for sent in (signal.SIGQUIT, signal.SIGKILL):
        _end(_all_on(where), sent, where, 5)
    # Of a process that is not PostgreSQL here PostgreSQL itself would say that another server is running.
    (data / "postmaster.pid").unlink(missing_ok=True)


def remove_unfinished_initdb(making: Path, within: float = 10) -> None:
    """Removes the folder of an initdb that was cut short. The caller holds the lock of the data folder, so nobody waits for it.

    initdb outlives whoever was killed hard by a moment, and writes into the folder while it is being removed: it is ended first.
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
    """PostgreSQL's processes, and they alone, are called so and work in the data folder."""
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
    # Asked each one itself: where the first process of a container collects no orphans, an ended one stays listed for ever.
    while (left := [process for process in left if _runs_on(process, where)]) and time.monotonic() < until:
        time.sleep(0.02)
