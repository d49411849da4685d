"""Provides the databases to measure on: the district with 20,000 students, 2 million grades and 3 million attendance marks; the school with 1,100."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg

from config import load_settings
from db.embedded import EmbeddedServer
from db.migrate import migrate
from db.production import refuse_production
from db.seed import seed

__all__ = ["SEED_DATE", "district", "seeded"]

SEED_DATE = date(2026, 11, 24)


# The number of students that a database must have to count as one of this scale.
_STUDENTS = {"school": range(1_000, 10_000), "district": range(20_000, 1_000_000)}
_FOLDERS = {"school": "bench-school", "district": "bench"}


@contextmanager
def district() -> Iterator[str]:
    """Yields the URL of a district school; see `seeded`."""
    with seeded("district") as url:
        yield url


@contextmanager
def seeded(scale: str) -> Iterator[str]:
    """Yields the URL of a seeded school: `DATABASE_URL`, seeded if it is empty, or a database kept under `DATA_DIR`."""
    settings = load_settings()
    if settings.direct_url:
        refuse_production(settings.direct_url, settings, "a benchmark")
        _fill(settings.direct_url, scale)
        yield settings.direct_url
        return
    # Up to eight servers are connected at once, each with a pool per worker.
    server = EmbeddedServer(settings.data_dir / _FOLDERS[scale], max_connections=500, say=print)
    server.start()
    try:
        _fill(server.url(), scale)
        yield server.url()
    finally:
        server.stop()


def _fill(url: str, scale: str) -> None:
    migrate(url)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM students").fetchone()
    students = row[0] if row else 0
    if students == 0:
        print(f"Filling the {scale} database, which takes some minutes …", flush=True)
        seed(url, scale, SEED_DATE, say=print)
    elif students not in _STUDENTS[scale]:
        raise SystemExit(
            f"DATABASE_URL has a school of {students} students: measure on an empty database, or on one of the scale `{scale}`"
        )
