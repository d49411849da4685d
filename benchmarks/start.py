"""Measures how long a start on an existing database takes, from the command to the first probe that is answered with "ready".

python -m benchmarks.start

The first start, which creates and seeds the database, is reported separately. The probes are sent by this process, since starting a program for each
would take a good part of the time that is measured.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.contest.processes import free_port

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_STARTS = 7


def _started(folder: str) -> float:
    """Returns the seconds until the server is ready. Raises RuntimeError with its output if it exits before that."""
    port = free_port()
    environment = os.environ | {"DATA_DIR": folder, "PORT": str(port), "DRAIN_NOTICE_SECONDS": "0"}
    log = Path(folder) / "start.log"
    with log.open("w") as output:
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "launcher"], cwd=_ROOT, env=environment, stdout=output, stderr=output)
        try:
            while not _is_ready(port):
                if process.poll() is not None:
                    raise RuntimeError(log.read_text())
                time.sleep(0.02)
            return time.monotonic() - began
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="rollcall-start-") as folder:
        # If this process runs as root, PostgreSQL runs as another user, who must be able to enter the folder.
        Path(folder).chmod(0o755)
        print(f"first start, with the demo school: {_started(folder):.1f} s", flush=True)
        found = [_started(folder) for _ in range(_STARTS)]
    print(f"second starts: median {median(found):.2f} s ({min(found):.2f} to {max(found):.2f}, {_STARTS} times)")


if __name__ == "__main__":
    main()
