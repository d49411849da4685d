"""Several server processes behind one listening socket, and the supervisor that keeps them alive.

A worker that ends, hangs or cannot start is started again after a pause, while the others go on. The supervisor ends when it is asked to, or when no
worker has ever started: then with an exit code that says so.
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
# A worker that has not started after this long, or whose event loop says nothing for this long, is killed.
_START_SECONDS = 120.0
_SILENT_SECONDS = 30.0
# The pause before a worker is started again: it doubles from the first to the last with each failure. A worker that lived longer starts anew.
_FIRST_PAUSE = 0.5
_LAST_PAUSE = 10.0
_LIVED_SECONDS = 30.0
# How often each worker's start is tried when none has ever started.
_TRIES = 5
# What a worker may take beyond the notice and the drain: to close the pool.
_END_SECONDS = 20.0


class _Worker:
    """A place for a worker, the process in it, and what is known of it."""

    def __init__(self) -> None:
        self.process: SpawnProcess | None = None
        self.pipe: Connection | None = None
        self.started = False
        self.began = 0.0
        self.heard = 0.0
        self.failures = 0
        self.not_before = 0.0

    def start(self, config: uvicorn.Config, listening: socket.socket, ending: Any, now: float) -> None:
        self.pipe, theirs = _spawn.Pipe(duplex=False)
        self.process = _spawn.Process(target=_work, args=(config, listening, ending, theirs))
        self.process.start()
        theirs.close()
        self.started = False
        self.began = self.heard = now

    def listen(self, now: float) -> bool:
        """Reads what the worker has said. True when it has just started."""
        assert self.pipe is not None
        before = self.started
        try:
            while self.pipe.poll():
                self.started |= self.pipe.recv_bytes() == b"started"
                self.heard = now
        except (EOFError, OSError):
            pass  # It has ended, or ends.
        return self.started and not before

    def fault(self, now: float) -> str | None:
        """Why the process is of no more use; None while it is."""
        assert self.process is not None
        if not self.process.is_alive():
            return f"ended with {self.process.exitcode}"
        limit = _SILENT_SECONDS if self.started else _START_SECONDS
        if now - self.heard > limit:
            return f"{'said nothing' if self.started else 'did not start'} for {limit:g} seconds"
        return None

    def give_up(self, now: float) -> float:
        """Ends the process for good. Returns the pause before the next one."""
        assert self.process is not None
        assert self.pipe is not None
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process = self.pipe = None
        self.failures = 1 if self.started and now - self.began > _LIVED_SECONDS else self.failures + 1
        pause: float = min(_FIRST_PAUSE * 2 ** (self.failures - 1), _LAST_PAUSE)
        self.not_before = now + pause
        return pause


class WorkerSupervisor:
    """Starts `count` workers and keeps them alive. `on_started()` is called when the first one serves."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, count: int, on_started: Callable[[], None]) -> None:
        self._config = config
        self._listening = listening
        self._workers = [_Worker() for _ in range(count)]
        self._on_started = on_started
        self._has_served = False
        self._signals: list[int] = []
        # Shared with the workers: whether all of them end, and the listening socket with them.
        self._ending = _spawn.RawValue("b", 0)

    def run(self) -> int:
        """Returns the exit code when the workers have ended: 0 when that was asked for and went well."""
        # A signal must end the wait below; what Python does itself is to go on waiting.
        waking, woken = socket.socketpair()
        with waking, woken:
            woken.setblocking(False)
            waking.setblocking(False)
            signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
            for sig in (signal.SIGTERM, signal.SIGINT):
                signal.signal(sig, lambda sig, _: self._signals.append(sig))
            try:
                return self._run(waking)
            finally:
                signal.set_wakeup_fd(-1)

    def _run(self, waking: socket.socket) -> int:
        while not self._signals:
            now = time.monotonic()
            for each in self._workers:
                self._check(each, now)
            if not self._has_served and all(each.failures >= _TRIES for each in self._workers):
                _log.error("no worker has started: the server ends", tries=_TRIES)
                for each in self._workers:
                    if each.process is not None:
                        each.give_up(now)
                return STARTUP_FAILED
            self._wait(waking, 0.5)
        return self._end(waking)

    def _check(self, worker: _Worker, now: float) -> None:
        if worker.process is None:
            if now >= worker.not_before:
                worker.start(self._config, self._listening, self._ending, now)
            return
        if worker.listen(now):
            _log.info("a worker serves", pid=worker.process.pid)
            if not self._has_served:
                self._has_served = True
                self._on_started()
        why = worker.fault(now)
        if why is not None:
            pid = worker.process.pid
            _log.error("a worker is replaced", pid=pid, why=why, after_seconds=worker.give_up(now))

    def _wait(self, waking: socket.socket, seconds: float) -> None:
        """Until something happens: a signal, a word from a worker, a worker's end."""
        watched: list[Any] = [waking]
        for each in self._workers:
            if each.process is not None and each.pipe is not None and each.process.is_alive():
                watched += [each.process.sentinel, each.pipe]
        if waking in wait(watched, seconds):
            waking.recv(1024)

    def _end(self, waking: socket.socket) -> int:
        """Sends the workers the signal that has come, and waits for them. 0 when each ended by itself."""
        self._ending.value = 1
        # The workers have it as well; ours would keep it open when theirs are closed.
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
                _log.error("workers did not end and are killed", pids=[each.process.pid for each in running])  # type: ignore[union-attr]
                for each in running:
                    each.process.kill()  # type: ignore[union-attr]
                return 1
            for each in running:
                each.listen(0)
            self._wait(waking, 0.5)
        codes = [each.process.exitcode for each in self._workers if each.process is not None]
        return 0 if all(code in (0, -signal.SIGTERM, -signal.SIGINT) for code in codes) else 1


def _work(config: uvicorn.Config, listening: socket.socket, ending: Any, pipe: Connection) -> None:
    """The whole life of a worker."""
    die_with_parent()
    # Ctrl-C is for our parent, which passes it on: twice would cut the drain short.
    os.setpgid(0, 0)
    # uvicorn sends itself the signal again when it is done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    configure_logs(load_settings())
    config.configure_logging()

    def say(what: bytes) -> None:
        with suppress(OSError):  # Our parent has ended, and so do we.
            pipe.send_bytes(what)

    DrainingServer(
        config,
        owns_socket=lambda: bool(ending.value),
        on_started=lambda: say(b"started"),
        on_second=lambda: say(b"alive"),
    ).run(listeners(listening))
