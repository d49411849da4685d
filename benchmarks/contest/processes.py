"""Starts, monitors and stops the contestants' processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.contest.instrumented import QUARTER
from benchmarks.contest.load import Address
from db.embedded import die_with_parent

__all__ = ["Collected", "Server", "StartError", "database_cpu_seconds", "free_port"]

_ROOT = Path(__file__).parents[2]


class StartError(Exception):
    """Raised when a contestant does not start; the message ends with its last output."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Holds the garbage collections of an interval: their number, their total seconds and the longest."""

    collections: int
    seconds: float
    longest: float


@dataclass(slots=True)
class Server:
    """Controls a contestant's process. `facts` is the file in which a Python process reports its garbage collections."""

    address: Address
    process: "subprocess.Popen[bytes]"
    log: Path
    facts: Path | None
    _collected: dict[str, list[float]] | None = field(default=None)

    @classmethod
    def start(cls, command: list[str], environment: dict[str, str], port: int, folder: Path, name: str, facts: Path | None) -> "Server":
        """Starts a command in the project's folder and waits until the port accepts connections. Raises StartError after 60 s."""
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=_ROOT,
                env=os.environ | environment,
                start_new_session=True,  # Ctrl-C reaches this process only, which then ends them
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it makes one system call, whatever other threads do
            )
        server = cls(Address("127.0.0.1", port), process, log, facts)
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return server
            time.sleep(0.05)
        server.stop()
        raise StartError(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def family(self) -> list[psutil.Process]:
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def rss(self) -> int:
        """Returns the resident memory in bytes of the largest process, which is the server or one of its workers."""
        return max(each.memory_info().rss for each in self.family())

    def cpu_seconds(self) -> float:
        return _cpu_seconds(self.family())

    def collected(self, began: float, seconds: float) -> Collected | None:
        """Returns the garbage collections between two times, to the quarter of a second; None if the process is not Python, or has not ended."""
        if self._collected is None:
            if self.facts is None or not self.facts.exists():
                return None
            self._collected = orjson.loads(self.facts.read_bytes())["collections"]
        found = [self._collected.get(str(quarter)) for quarter in range(int(began / QUARTER), int((began + seconds) / QUARTER) + 1)]
        quarters = [each for each in found if each]
        return Collected(
            int(sum(each[0] for each in quarters)), sum(each[1] for each in quarters), max((each[2] for each in quarters), default=0.0)
        )

    def held(self) -> list[tuple[float, float]]:
        """Returns when the event loop was blocked, as (time, seconds). Available after the process has ended."""
        return [(each[0], each[1]) for each in self._read_facts().get("held", [])]

    def fallbacks(self) -> dict[str, int]:
        """Returns the number of operations that the breadth-first executor left to graphql-core, by reason. Available after the process has ended."""
        found: dict[str, int] = self._read_facts().get("fallbacks", {})
        return found

    def _read_facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = orjson.loads(self.facts.read_bytes()) if self.facts is not None and self.facts.exists() else {}
        return facts


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for each in processes:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def database_cpu_seconds(url: str) -> float | None:
    """Returns the processor time of PostgreSQL's processes in seconds; None if it runs on another machine."""
    host = url.partition("host=")[2].partition("&")[0]
    if not host:
        return None
    from urllib.parse import unquote

    lock = Path(unquote(host)) / ".s.PGSQL.5432.lock"
    try:
        postmaster = psutil.Process(int(lock.read_text().split()[0]))
        ended = postmaster.cpu_times()  # includes the time of child processes that have ended
        return _cpu_seconds([postmaster, *postmaster.children(recursive=True)]) + ended.children_user + ended.children_system
    except (OSError, ValueError, psutil.Error):
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]
