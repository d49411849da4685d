"""Runs a contestant on given cores, and writes a report about its garbage collections when it ends.

    python -m benchmarks.contest.instrumented --facts FILE --cores 0 launcher
    python -m benchmarks.contest.instrumented --facts FILE --cores 0 --port 5001 benchmarks.stock_strawberry.app:create_app

The instrumentation is added from outside, without the server's help. A collection costs two calls of a function that updates a table of quarters of a
second. With `--ticks` a callback is scheduled every millisecond on the event loop, and its delays above 5 ms, for which something else blocked the
loop, are written as well.
"""

import argparse
import asyncio
import atexit
import gc
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks.contest.load import use_cores

__all__ = ["QUARTER", "Collections"]

QUARTER = 0.25
_HELD = 0.005


class Collections:
    """Records garbage collections: for each quarter of a second (CLOCK_MONOTONIC × 4) their number, their total seconds and the longest."""

    def __init__(self) -> None:
        self.quarters: dict[int, list[float]] = {}
        self._began = 0.0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        now = time.monotonic()
        if phase == "start":
            self._began = now
            return
        took = now - self._began
        quarter = self.quarters.setdefault(int(now / QUARTER), [0, 0.0, 0.0])
        quarter[0] += 1
        quarter[1] += took
        quarter[2] = max(quarter[2], took)


class Ticks:
    """Records when the event loop was blocked for more than 5 ms, as (CLOCK_MONOTONIC at the end, seconds)."""

    def __init__(self) -> None:
        self.held: list[tuple[float, float]] = []

    async def run(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.001)
            now = time.monotonic()
            if now - last - 0.001 > _HELD:
                self.held.append((now, now - last - 0.001))
            last = now

    def within(self, make_app: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the application with the ticking callback added to its lifespan."""

        def make(*arguments: Any) -> Any:
            app = make_app(*arguments)
            lifespan = app.router.lifespan_context

            @asynccontextmanager
            async def ticking(application: Any) -> AsyncIterator[Any]:
                async with lifespan(application) as state:
                    task = asyncio.create_task(self.run())
                    try:
                        yield state
                    finally:
                        task.cancel()

            app.router.lifespan_context = ticking
            return app

        return make


def _run_rollcall(ticks: Ticks | None, executors: list[Any]) -> None:
    import app
    import launcher

    put_together: Any = app

    class Remembered(put_together.BreadthFirst):  # type: ignore[misc]  # a class that is known when it runs
        """Keeps a reference to the executor, to report at the end which operations it left to graphql-core."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            executors.append(self)

    put_together.BreadthFirst = Remembered
    if ticks is not None:
        put_together.create_app = ticks.within(put_together.create_app)
    launcher.main()


def _run(app: str, port: int) -> None:
    import uvicorn

    # uvicorn sends itself the signal again when it has shut down, which would end the process before the report is written.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        app,
        factory=True,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=2048,
    )


def main() -> None:
    """Runs the contestant until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contest.instrumented")
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--cores", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ticks", action="store_true")
    parser.add_argument("app")
    options = parser.parse_args()
    if options.cores:
        use_cores([int(core) for core in options.cores.split(",")])
    collections, ticks = Collections(), Ticks()
    executors: list[Any] = []

    def write() -> None:
        gc.callbacks.remove(collections)
        facts = {
            "collections": collections.quarters,
            "held": ticks.held,
            "thresholds": gc.get_threshold(),
            "fallbacks": {reason: count for each in executors for reason, count in each.fallbacks.items()},
        }
        options.facts.write_bytes(orjson.dumps(facts, option=orjson.OPT_NON_STR_KEYS))

    atexit.register(write)
    gc.callbacks.append(collections)
    sys.argv = sys.argv[:1]
    if options.app == "launcher":
        _run_rollcall(ticks if options.ticks else None, executors)
    else:
        _run(options.app, options.port)


if __name__ == "__main__":
    main()
