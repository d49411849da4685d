"""Runs several worker processes on one listening socket, and supervises them.

A worker that ends, hangs or fails to start is restarted after a pause, while the others keep running. The supervisor ends on a signal, or with
the exit code STARTUP_FAILED if no worker has ever started.
"""

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

import structlog
import uvicorn

from config import load_settings
from db.embedded import die_with_parent
from http_server import DrainingServer, listeners
from telemetry.logs import configure_logs

__all__ = ["WorkerSupervisor"]

_log = structlog.get_logger("rollcall.workers")
_spawn = multiprocessing.get_context("spawn")

STARTUP_FAILED = 3
# A worker that has not started after this long, or whose event loop sends no heartbeat for this long, is killed.
_START_SECONDS = 120.0
_HEARTBEAT_TIMEOUT = 30.0
# The pause before a worker is restarted. It doubles with each failure, and is reset when a worker has run for `_STABLE_SECONDS`.
_MIN_BACKOFF = 0.5
_MAX_BACKOFF = 10.0
_STABLE_SECONDS = 30.0
# The number of attempts to start each worker if none has ever started.
_MAX_ATTEMPTS = 5
# How long a worker may take to end in addition to the notice and the drain, in order to close its pool.
_END_SECONDS = 20.0


class _Worker:
    """A slot for a worker: its current process, and what is known about it."""

    def __init__(self) -> None:
        self.process: SpawnProcess | None = None
        self.pipe: Connection | None = None
        self.started = False
        self.began = 0.0
        self.last_heartbeat = 0.0
        self.failures = 0
        self.not_before = 0.0

    def start(self, config: uvicorn.Config, listening: socket.socket, ending: Any, now: float) -> None:
        self.pipe, theirs = _spawn.Pipe(duplex=False)
        self.process = _spawn.Process(target=_work, args=(config, listening, ending, theirs))
        self.process.start()
        theirs.close()
        self.started = False
        self.began = self.last_heartbeat = now

    def listen(self, now: float) -> bool:
        """Reads the worker's messages. Returns True if it has just started."""
        assert self.pipe is not None
        before = self.started
        try:
            while self.pipe.poll():
                self.started |= self.pipe.recv_bytes() == b"started"
                self.last_heartbeat = now
        except (EOFError, OSError):
            pass  # The worker has ended, or is about to.
        return self.started and not before

    def fault(self, now: float) -> str | None:
        """Returns why the process must be replaced, or None."""
        assert self.process is not None
        if not self.process.is_alive():
            return f"ended with {self.process.exitcode}"
        limit = _HEARTBEAT_TIMEOUT if self.started else _START_SECONDS
        if now - self.last_heartbeat > limit:
            return f"{'sent no heartbeat' if self.started else 'did not start'} for {limit:g} seconds"
        return None

    def kill(self, now: float) -> float:
        """Kills the process. Returns the pause in seconds before the next one is started."""
        assert self.process is not None
        assert self.pipe is not None
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process = self.pipe = None
        self.failures = 1 if self.started and now - self.began > _STABLE_SECONDS else self.failures + 1
        pause: float = min(_MIN_BACKOFF * 2 ** (self.failures - 1), _MAX_BACKOFF)
        self.not_before = now + pause
        return pause


class WorkerSupervisor:
    """Starts `count` workers and restarts those that fail. Calls `on_started()` when the first one has started."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, count: int, on_started: Callable[[], None]) -> None:
        self._config = config
        self._listening = listening
        self._workers = [_Worker() for _ in range(count)]
        self._on_started = on_started
        self._has_served = False
        self._signals: list[int] = []
        # Shared with the workers: whether all of them are shutting down, and the listening socket with them.
        self._ending = _spawn.RawValue("b", 0)

    def run(self) -> int:
        """Supervises until a signal arrives, and returns the exit code: 0 if all workers then ended normally."""
        # A signal must interrupt `wait` below, which Python would otherwise resume (PEP 475).
        wakeup, signalled = socket.socketpair()
        with wakeup, signalled:
            signalled.setblocking(False)
            wakeup.setblocking(False)
            signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
            for sig in (signal.SIGTERM, signal.SIGINT):
                signal.signal(sig, lambda sig, _: self._signals.append(sig))
            try:
                return self._run(wakeup)
            finally:
                signal.set_wakeup_fd(-1)

    def _run(self, wakeup: socket.socket) -> int:
        while not self._signals:
            now = time.monotonic()
            for each in self._workers:
                self._check(each, now)
            if not self._has_served and all(each.failures >= _MAX_ATTEMPTS for each in self._workers):
                _log.error("no worker could be started: the server ends", attempts=_MAX_ATTEMPTS)
                for each in self._workers:
                    if each.process is not None:
                        each.kill(now)
                return STARTUP_FAILED
            self._wait(wakeup, 0.5)
        return self._end(wakeup)

    def _check(self, worker: _Worker, now: float) -> None:
        if worker.process is None:
            if now >= worker.not_before:
                worker.start(self._config, self._listening, self._ending, now)
            return
        if worker.listen(now):
            _log.info("a worker has started", pid=worker.process.pid)
            if not self._has_served:
                self._has_served = True
                self._on_started()
        reason = worker.fault(now)
        if reason is not None:
            pid = worker.process.pid
            _log.error("a worker is replaced", pid=pid, reason=reason, after_seconds=worker.kill(now))

    def _wait(self, wakeup: socket.socket, seconds: float) -> None:
        """Waits for a signal, a message from a worker, or the end of a worker, at most `seconds`."""
        watched: list[Any] = [wakeup]
        for each in self._workers:
            if each.process is not None and each.pipe is not None and each.process.is_alive():
                watched += [each.process.sentinel, each.pipe]
        if wakeup in wait(watched, seconds):
            wakeup.recv(1024)

    def _end(self, wakeup: socket.socket) -> int:
        """Forwards the signals to the workers, and waits for them to end. Returns 0 if all of them ended normally, otherwise 1."""
        self._ending.value = 1
        # The workers have their own copies. This one would keep the socket open after theirs are closed.
        self._listening.close()
        settings = load_settings()
        until = time.monotonic() + settings.drain_notice_seconds + settings.drain_seconds + _END_SECONDS
        sent = 0
        while running := [each for each in self._workers if each.process is not None and each.process.is_alive()]:
            for sig in self._signals[sent:]:
                for each in running:
                    os.kill(each.process.pid, sig)  # type: ignore[union-attr,arg-type]  # it runs, so it has one
            sent = len(self._signals)
            if time.monotonic() > until:
                _log.error("workers did not end in time and are killed", pids=[each.process.pid for each in running])  # type: ignore[union-attr]
                for each in running:
                    each.process.kill()  # type: ignore[union-attr]
                return 1
            for each in running:
                each.listen(0)
            self._wait(wakeup, 0.5)
        codes = [each.process.exitcode for each in self._workers if each.process is not None]
        return 0 if all(code in (0, -signal.SIGTERM, -signal.SIGINT) for code in codes) else 1


def _work(config: uvicorn.Config, listening: socket.socket, ending: Any, pipe: Connection) -> None:
    """Runs a worker process from start to end."""
    die_with_parent()
    # Ctrl-C must reach only the parent, which forwards it: a second signal would cut the drain short.
    os.setpgid(0, 0)
    # uvicorn raises the signal again when it has shut down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    configure_logs(load_settings())
    config.configure_logging()

    def send(message: bytes) -> None:
        with suppress(OSError):  # The parent has ended, and this process is about to.
            pipe.send_bytes(message)

    DrainingServer(
        config,
        owns_socket=lambda: bool(ending.value),
        on_started=lambda: send(b"started"),
        on_second=lambda: send(b"alive"),
    ).run(listeners(listening))
