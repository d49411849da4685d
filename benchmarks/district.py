"""The district school to measure on: 20,000 students, 2 million grades, 3 million attendance marks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import psycopg

from config import load_settings
from db.embedded import EmbeddedServer
from db.migrate import migrate
from db.seed import seed

__all__ = ["SEED_DATE", "district"]

SEED_DATE = date(2026, 11, 24)


@contextmanager
def district() -> Iterator[str]:
    """The address of a district school: `DATABASE_URL`'s, filled when it is empty, or one kept under `DATA_DIR`/bench."""
    settings = load_settings()
    if settings.direct_url:
        _fill(settings.direct_url)
        yield settings.direct_url
        return
    # Eight servers with a pool each, and several workers of one of them, are connected at once.
    server = EmbeddedServer(settings.data_dir / "bench", max_connections=500, say=print)
    server.start()
    try:
        _fill(server.url())
        yield server.url()
    finally:
        server.stop()


def _fill(url: str) -> None:
    migrate(url)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM students").fetchone()
    students = row[0] if row else 0
    if students == 0:
        print("Filling the district school, which takes some minutes …", flush=True)
        seed(url, "district", SEED_DATE, say=print)
    elif students < 20_000:
        raise SystemExit(f"DATABASE_URL has a school of {students} students: measure on an empty database, or on a district school")
