"""Tests the seeded schools: they are reproducible and consistent, and never mixed with real data."""

import psycopg
import pytest

from db.seed import NotEmptyError, seed
from tests.databases import SEED_DATE


def contents(url):
    """Returns a checksum of every table's rows."""
    with psycopg.connect(url) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        ]
        return {
            table: connection.execute(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t").fetchone()
            for table in tables
            if "yoyo" not in table and not table.startswith("migration_")
        }


def test_the_same_date_gives_the_same_school_to_the_byte(databases, demo_url):
    again = databases.clone("empty", "seeded_again")
    seed(again, "demo", SEED_DATE)
    assert contents(again) == contents(demo_url)
    databases.drop("seeded_again")


def test_a_database_with_users_is_left_alone(fresh_database_url):
    with psycopg.connect(fresh_database_url) as connection:
        connection.execute("INSERT INTO users (role, first_name, last_name) VALUES ('ADMIN', 'A', 'B')")
    before = contents(fresh_database_url)
    with pytest.raises(NotEmptyError):
        seed(fresh_database_url, "demo", SEED_DATE)
    assert contents(fresh_database_url) == before
