"""Supervises the embedded PostgreSQL: restarts it when it ends, and gives up when it keeps ending.

If it ends because its disk is full it is restarted as soon as there is space again, however long that takes.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

from db.embedded import EmbeddedServer
from db.postgres_binaries import StartError

__all__ = ["supervised"]

_log = structlog.get_logger("rollcall.postgresql")

# A server that ends for the fourth time within five minutes has a problem that a restart does not solve.
_MAX_RESTARTS = 3
_WINDOW_SECONDS = 300.0
# Seconds between attempts to start on a full disk. Each attempt replays the write-ahead log.
_DISK_FULL_INTERVAL = 5.0


@contextmanager
def supervised(server: EmbeddedServer, on_give_up: Callable[[str], None]) -> Iterator[None]:
    """Keeps a started server running during the block, and stops it afterwards.

    Committed data survives a crash: PostgreSQL recovers it from the write-ahead log. When the server is not restarted any more,
    `on_give_up(reason)` is called once, from another thread.
    """
    supervisor = _Supervisor(server, on_give_up)
    supervisor.thread.start()
    try:
        yield
    finally:
        supervisor.stop()


class _Supervisor:
    def __init__(self, server: EmbeddedServer, on_give_up: Callable[[str], None]) -> None:
        self._server = server
        self._on_give_up = on_give_up
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # The kernel ends PostgreSQL together with the thread that started it (PR_SET_PDEATHSIG), so this thread lives as long as the server.
        self.thread = threading.Thread(target=self._supervise, name="PostgreSQL supervisor", daemon=True)

    def stop(self) -> None:
        with self._lock:
            self._stopping.set()
            self._server.stop()
        self.thread.join(10)

    def _supervise(self) -> None:
        restarts: list[float] = []
        last_error: str | None = None
        full_since: float | None = None
        while True:
            process = self._server.process
            if process is None:
                return
            status = process.wait()
            if self._server.is_out_of_disk() and not self._stopping.is_set():
                if full_since is None:
                    full_since = time.monotonic()
                    _log.error(
                        "PostgreSQL ended because its disk is full: it will be restarted when there is space",
                        folder=str(self._server.folder),
                    )
                self._stopping.wait(_DISK_FULL_INTERVAL)
                with self._lock:
                    if self._stopping.is_set():
                        return
                    with suppress(StartError):
                        self._server.restart()
                        _log.warning("PostgreSQL is running again: its disk has space", seconds=round(time.monotonic() - full_since, 3))
                        full_since = None
                continue
            full_since = None
            with self._lock:
                if self._stopping.is_set():
                    return
                now = time.monotonic()
                restarts = [each for each in restarts if now - each < _WINDOW_SECONDS]
                if len(restarts) == _MAX_RESTARTS:
                    self._on_give_up(
                        f"PostgreSQL ended {_MAX_RESTARTS + 1} times within {_WINDOW_SECONDS / 60:.0f} minutes and will not be restarted."
                        f" {last_error or f'Its log is {self._server.log.path}.'}"
                    )
                    return
                restarts.append(now)
                _log.error("PostgreSQL ended: restarting it", status=status, log=str(self._server.log.path))
                try:
                    self._server.restart()
                except StartError as error:
                    last_error = str(error)
                    _log.error("PostgreSQL could not be restarted", error=last_error)
                else:
                    last_error = None
                    _log.warning("PostgreSQL is running again", seconds=round(time.monotonic() - now, 3))
