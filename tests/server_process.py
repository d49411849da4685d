"""Starts the whole server, `python -m launcher`, as a separate process, and inspects processes."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

__all__ = ["ROOT", "SIGN_IN", "Program", "alive", "free_port", "postmaster", "until_gone"]

ROOT = Path(__file__).parents[1]
SIGN_IN = 'mutation { signIn(input: {email: "admin@demo.school", password: "rollcall-demo"}) { session { accessToken } } }'


# Below the kernel's ephemeral ports, and a different range for each process of the suite, so that a free port stays free until it is used.
_PORTS = itertools.count(21_000 + 500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))


def free_port() -> int:
    while True:
        port = next(_PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class Program:
    """Controls a process of `python -m launcher` with its own settings. If `code` is given, it is run instead, and must call `launcher.main()`."""

    def __init__(
        self, folder: Path, *, user: int | None = None, interpreter: str = sys.executable, code: str | None = None, **settings: str
    ) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(self.port), "DATA_DIR": str(folder / "data")}
        environment |= {"SEED_DATE": "2026-03-18", "DRAIN_NOTICE_SECONDS": "0.5", **settings}
        self.began = time.monotonic()
        self.log = folder / "program.log"
        with self.log.open("ab") as log:
            identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
            self.process = subprocess.Popen(
                [interpreter, *(["-m", "launcher"] if code is None else ["-c", code])],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                **identity,
            )

    def said(self) -> str:
        return self.log.read_text()

    def ready(self, within: float = 60) -> float:
        """Waits until the server is ready; returns the seconds since its start."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said()
            if self.status("/health/ready") == 200 and f"Rollcall is at {self.base} " in self.said():
                return time.monotonic() - self.began
            time.sleep(0.02)
        raise AssertionError(self.said())

    def status(self, path: str) -> int | None:
        try:
            with urllib.request.urlopen(self.base + path, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return None

    def ask(self, query: str, token: str | None = None):
        headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(f"{self.base}/graphql", json.dumps({"query": query}).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def token(self) -> str:
        return self.ask(SIGN_IN)["signIn"]["session"]["accessToken"]

    def stop(self, sent: int = signal.SIGINT, within: float = 30) -> int:
        self.process.send_signal(sent)
        return self.process.wait(within)


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postgres" / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until_gone(pid: int, within: float = 20) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)
