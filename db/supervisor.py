"""An embedded PostgreSQL that ends under a running server is started again; one that keeps ending is given up.

One that ends because its disk is full is not given up: it is started again when there is room, however long that takes.
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

# A postmaster that was killed once is an accident; one that ends for the fourth time within five minutes has a cause that starting does not mend.
_MOST = 3
_WITHIN_SECONDS = 300.0
# On a full disk a start is tried this often. It reads the write-ahead log anew each time.
_TRIALS_APART = 5.0


@contextmanager
def supervised(server: EmbeddedServer, on_give_up: Callable[[str], None]) -> Iterator[None]:
    """Keeps a started server running during the block, and stops it after it.

    What was committed is on disk: a start after a hard kill reads it back from the log. `on_give_up` is told why, once, from another thread,
    when it is not started again.
    """
    keeper = _Supervisor(server, on_give_up)
    keeper.thread.start()
    try:
        yield
    finally:
        keeper.stop()


class _Supervisor:
    def __init__(self, server: EmbeddedServer, on_give_up: Callable[[str], None]) -> None:
        self._server = server
        self._on_give_up = on_give_up
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # The kernel ends PostgreSQL with the thread that started it: this one lives as long as the server.
        self.thread = threading.Thread(target=self._keep, name="keeps PostgreSQL running", daemon=True)

    def stop(self) -> None:
        with self._lock:
            self._stopping.set()
            self._server.stop()
        self.thread.join(10)

    def _keep(self) -> None:
        began: list[float] = []
        last: str | None = None
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
                        "PostgreSQL has ended because its disk is full: it is started again when there is room",
                        folder=str(self._server.folder),
                    )
                self._stopping.wait(_TRIALS_APART)
                with self._lock:
                    if self._stopping.is_set():
                        return
                    with suppress(StartError):
                        self._server.restart()
                        _log.warning("PostgreSQL is back: its disk has room", seconds=round(time.monotonic() - full_since, 3))
                        full_since = None
                continue
            full_since = None
            with self._lock:
                if self._stopping.is_set():
                    return
                now = time.monotonic()
                began = [each for each in began if now - each < _WITHIN_SECONDS]
                if len(began) == _MOST:
                    self._on_give_up(
                        f"PostgreSQL ended {_MOST + 1} times within {_WITHIN_SECONDS / 60:.0f} minutes, and is not started again."
                        f" {last or f'Its log is {self._server.log.path}.'}"
                    )
                    return
                began.append(now)
                _log.error("PostgreSQL has ended: it is started again", status=status, log=str(self._server.log.path))
                try:
                    self._server.restart()
                except StartError as error:
                    last = str(error)
                    _log.error("PostgreSQL could not be started", error=last)
                else:
                    last = None
                    _log.warning("PostgreSQL is back", seconds=round(time.monotonic() - now, 3))
