"""Runs every attack of this package in turn, prints how other users were affected, and writes docs/bench-abuse.md.

    python -m benchmarks.abuse [PART …]

The database is a school of 1,100 students, kept under `DATA_DIR`/bench-school. The page is written only if every part was run. Exits with 1 if a part
failed to run. A figure that misses its bound is marked, but does not fail the run.
"""

import argparse
import asyncio
import importlib
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID

import psycopg
import uvloop

from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import BREADTH_FIRST, SECRET
from benchmarks.contest.load import undisturbed, use_cores
from benchmarks.contest.processes import Server, free_port
from benchmarks.district_school import seeded
from benchmarks.writing.database_copies import copied, tokens

__all__ = ["PARTS", "main"]

PARTS = ("documents", "oversized", "memory", "sign_in", "expensive_operations", "slow_senders", "overload")
_PAGE = Path(__file__).parents[2] / "docs" / "bench-abuse.md"
_ROLES = ("ADMIN", "BURSAR", "TEACHER", "STUDENT", "GUARDIAN")


@contextmanager
def _attacked(url: str, settings: dict[str, str], core: str) -> Iterator[Target]:
    """Yields a fresh server with these settings, on a fresh copy of the school."""
    with copied(url) as copy, tempfile.TemporaryDirectory(prefix="rollcall-abuse-") as folder:
        with psycopg.connect(copy) as connection:
            accounts: dict[str, UUID] = dict(
                connection.execute("SELECT role, id FROM users WHERE email = lower(role) || '@demo.school'").fetchall()
            )
        held = asyncio.run(tokens(copy, [(accounts[role], role) for role in _ROLES]))
        port, facts = free_port(), Path(folder) / "facts.json"
        surroundings = {"DATABASE_URL": copy, "PORT": str(port), "SECRET_KEY": SECRET, "LOG_LEVEL": "warning", "DRAIN_NOTICE_SECONDS": "0"}
        server = Server.start(BREADTH_FIRST.command(port, facts, core), surroundings | settings, port, Path(folder), "server", facts)
        try:
            yield Target(server, copy, {role: held[accounts[role]] for role in _ROLES})
        except BaseException:
            sys.stderr.write(f"The server wrote at last:\n{server.log.read_text(errors='replace')[-3000:]}\n")
            raise
        finally:
            server.stop()


def _measured(url: str, part: ModuleType, core: str) -> list[Figure]:
    with _attacked(url, part.SETTINGS, core) as target, undisturbed():
        found: list[Figure] = uvloop.run(part.measure(target))
        return found


def _table(figures: Sequence[Figure]) -> str:
    rows = ["| | measured | wanted | |", "|---|---|---|---|"]
    for each in figures:
        mark = "" if not each.wanted else "holds" if each.holds else "**missed**"
        rows.append(f"| {each.name} | {each.value:,.{0 if each.value >= 100 else 1}f} {each.unit} | {each.wanted} | {mark} |")
    return "\n".join(rows)


def _page(sections: Sequence[str]) -> str:
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    how = (
        f"Written by `make bench-abuse` ({when}). Each attack meets a fresh server of one worker on one core, over a school of 1,100 students;"
        " the load comes from another core. `PARTS=overload` runs one part, and prints its figures only."
    )
    return "\n\n".join(("# What attacks do to honest users", how, *sections)) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description="Attacks a server and measures what others notice.")
    # `choices` does not work with nargs="*": argparse would compare the empty list with them.
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all when none is named")
    wanted: list[str] = parser.parse_args().parts or list(PARTS)
    if unknown := [each for each in wanted if each not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    sections, failed = [], []
    with seeded("school") as url:
        if len(cores) > 1:
            use_cores(cores[1:])
        for name in wanted:
            try:
                part = importlib.import_module(f"benchmarks.abuse.{name}")
                figures = _measured(url, part, str(cores[0]) if len(cores) > 1 else "")
            except Exception:  # noqa: BLE001 - the other parts are still worth running
                traceback.print_exc()
                failed.append(name)
                continue
            note = f"{part.NOTE}\n\n" if hasattr(part, "NOTE") else ""
            sections.append(f"## {part.TITLE}\n\n{note}{_table(figures)}")
            print(f"\n{sections[-1]}", flush=True)
    if failed:
        raise SystemExit(f"failed to run: {', '.join(failed)}")
    if len(sections) == len(PARTS):
        _PAGE.write_text(_page(sections))


if __name__ == "__main__":
    main()
