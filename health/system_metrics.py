"""Measures the CPU and memory use of the machine and of this process. Never blocks: CPU use is sampled in the background."""

import asyncio
import os
import platform
import time

import psutil

from health.report import Cpu, Memory, Platform, Process, ProcessCpu, ProcessMemory, System

__all__ = ["SystemMetrics"]


class SystemMetrics:
    """Reads metrics of the machine and of this process.

    CPU use is the average between the last two calls of `sample` (see `watch`); before the first call, since the start.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._platform = Platform(platform.system(), platform.release(), platform.machine(), platform.python_version())
        self._cpu_count = psutil.cpu_count() or 1
        self._system = _busy_and_all()
        self._own = self._own_seconds()
        self._sampled_at = time.monotonic()
        # Averages since boot and since the start of this process, until there are two samples.
        self.system_percent = round(100 * self._system[0] / max(self._system[1], 1e-9), 1)
        self.process_percent = round(100 * self._own / max(time.time() - self._process.create_time(), 1e-3), 1)

    async def watch(self, every: float = 2.0) -> None:
        """Samples every `every` seconds until cancelled. Run it as a task."""
        while True:
            await asyncio.sleep(every)
            self.sample()

    def sample(self) -> None:
        busy, whole = _busy_and_all()
        own, now = self._own_seconds(), time.monotonic()
        if whole > self._system[1] and now > self._sampled_at:
            self.system_percent = round(min(100.0, max(0.0, 100 * (busy - self._system[0]) / (whole - self._system[1]))), 1)
            self.process_percent = round(max(0.0, 100 * (own - self._own) / (now - self._sampled_at)), 1)
        self._system, self._own, self._sampled_at = (busy, whole), own, now

    def system(self) -> System:
        memory = psutil.virtual_memory()
        return System(
            Memory(memory.total, memory.used, memory.available, memory.percent),
            Cpu(self._cpu_count, self.system_percent),
            [round(each, 2) for each in os.getloadavg()],
            self._platform,
        )

    def process(self) -> Process:
        with self._process.oneshot():
            memory = self._process.memory_full_info()
            times = self._process.cpu_times()
            shared = getattr(memory, "shared", max(memory.rss - memory.uss, 0))
            return Process(
                self._process.pid,
                ProcessMemory(memory.rss, memory.uss, shared),
                ProcessCpu(round(times.user, 2), round(times.system, 2), self.process_percent),
                self._process.num_threads(),
                self._process.num_fds(),
            )

    def _own_seconds(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)


def _busy_and_all() -> tuple[float, float]:
    times = psutil.cpu_times()
    whole = float(sum(times) - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0))
    return whole - times.idle - getattr(times, "iowait", 0), whole
