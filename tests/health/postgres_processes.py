"""Lists the processes of a PostgreSQL server, and stops them for a while."""

import signal
from contextlib import asynccontextmanager

import psutil


def family(server):
    return [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]


@asynccontextmanager
async def stopped(processes):
    """Stops processes while the block runs."""
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(processes):
            if process.is_running():
                process.send_signal(signal.SIGCONT)
