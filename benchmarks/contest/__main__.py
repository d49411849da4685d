"""Compares this server with others on three screens, and writes docs/bench.md.

python -m benchmarks.contest [--quick] [--peers] [--out FOLDER]
"""

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psutil

from benchmarks.contest import contestants as who
from benchmarks.contest.contestants import Contestant
from benchmarks.contest.load import use_cores
from benchmarks.contest.report import written
from benchmarks.contest.run import Contest, Measured, contest, sign_in
from benchmarks.contest.screens import TEACHER, administrator_screens, growing_screens, teacher_screens
from benchmarks.district_school import district

__all__ = ["OURS", "main"]

_DOCS = Path(__file__).parents[2] / "docs"
# The first one is the reference, with whose responses those of the others are compared.
OURS = [who.GRAPHQL_CORE, who.BREADTH_FIRST]


def _measured(url: str, *, quick: bool, peers: bool) -> dict[str, Any]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    server_core = str(cores[0]) if len(cores) > 1 else ""
    everyone: list[Contestant] = [
        *OURS,
        who.STOCK,
        who.STOCK_CACHED,
        *([who.POSTGRAPHILE_5] if peers else []),
        who.ROWS,
        who.STATEMENT,
        who.BARE,
    ]
    rounds, scale = (2, 0.25) if quick else (5, 1.0)
    with contest(url, server_core) as running:
        for each in everyone:
            if each is not who.BARE:
                running.start(each)
        if len(cores) > 1:
            use_cores(cores[1:])
        administrator = sign_in(running.servers[OURS[0].name], "admin@demo.school")
        screens, growing = administrator_screens(url), growing_screens()
        same = running.compare(everyone, [*screens, *growing], administrator)
        print("All answers are equal.", flush=True)
        sections: dict[str, list[Measured]] = {}
        names = [each.name for each in everyone]
        sections["screens"] = _told(running.rounds(names, screens, rounds, [(32, 1.2 * scale), (1, 0.6 * scale)]))
        memory = running.memory()
        few = [name for name in names if name not in ("stock_cached", "bare")]
        sections["growth"] = _told(running.rounds(few, growing, min(rounds, 3), [(1, 0.8 * scale)]))
        sections["teacher"] = _teacher(running, url, min(rounds, 3), scale)
        sections["workers"] = _workers(running, cores, screens, min(rounds, 3), scale)
        running.stop()
        collected = {
            name: [
                {"screen": each.screen, "seconds": each.seconds, **vars_of(running.servers[name].collected(each.began, each.seconds))}
                for each in sections["screens"]
                if each.contestant == name and each.connections > 1
            ]
            for name in names
        }
    return {
        "sections": {name: [each.to_json() for each in found] for name, found in sections.items()},
        "memory": memory,
        "collections": collected,
        "same_bytes": same,
        "titles": {each.name: each.title for each in everyone},
    }


def vars_of(collected: Any) -> dict[str, Any]:
    return (
        {} if collected is None else {"collections": collected.collections, "collecting": collected.seconds, "longest": collected.longest}
    )


def _told(measurements: Any) -> list[Measured]:
    found = []
    for each in measurements:
        found.append(each)
        print(f"  {each.round} {each.screen:14} {each.contestant:14} × {each.connections:2}: {each.per_second:8.1f}/s", flush=True)
    return found


def _teacher(running: Contest, url: str, rounds: int, scale: float) -> list[Measured]:
    token = sign_in(running.servers[OURS[0].name], TEACHER)
    screens = teacher_screens(url)
    running.compare(OURS, screens, token)
    return _told(running.rounds([each.name for each in OURS], screens, rounds, [(32, 1.2 * scale)]))


def _workers(running: Contest, cores: list[int], screens: Any, rounds: int, scale: float) -> list[Measured]:
    """Compares one and two workers without pinning: what a second worker gains when PostgreSQL and the load generator share the same cores."""
    names = []
    for count in (1, 2):
        name = f"{count} workers"
        running.start(OURS[-1], name=name, cores=",".join(map(str, cores)), WORKERS=str(count))
        running.same_exchanges(name, OURS[-1].name, screens)
        names.append(name)
    return _told(running.rounds(names, screens, rounds, [(32, 1.2 * scale)]))


def _machine() -> dict[str, Any]:
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor()
    )
    return {
        "processor": model,
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": os.getloadavg(),
    }


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contest", description="Measures this server beside others.")
    parser.add_argument("--quick", action="store_true", help="two short rounds, printed and not written into docs")
    parser.add_argument("--peers", action="store_true", help="with PostGraphile, which `make bench-peers` installs")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    machine, began = _machine(), time.monotonic()
    with district() as url:
        found = _measured(url, quick=options.quick, peers=options.peers)
    found |= {"machine": machine, "at": datetime.now(UTC).isoformat(timespec="seconds"), "took": round(time.monotonic() - began)}
    text = written(found)
    print(text)
    out: Path | None = options.out or (None if options.quick else _DOCS)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "bench.md").write_text(text)
        (out / "bench.json").write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    sys.exit(0)


if __name__ == "__main__":
    main()
