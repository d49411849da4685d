"""Tests that tracebacks of real PostgreSQL errors do not contain values."""

import traceback

import asyncpg
import psycopg
import pytest

import db.connections  # noqa: F401 - as everything that uses the database does
from db.cli import describe_database_error

SECRET = "hunter2-secret"
NOWHERE = "00000000-0000-7000-8000-00000000dead"
REFUSED = {
    "a check": (f"INSERT INTO users (role, first_name, last_name, phone) VALUES ('ADMIN', '{SECRET}', 'B', 'x')", "users_phone_check"),
    "a missing value": (f"INSERT INTO users (role, first_name) VALUES ('ADMIN', '{SECRET}')", "last_name"),
    "a unique key": (f"INSERT INTO subjects (name, code) VALUES ('{SECRET}', 'A1'), ('{SECRET}', 'A1')", "subjects_"),
    "an unreadable date": (f"SELECT '{SECRET}'::date", "22007"),
    "an unreadable enumeration or number": (f"SELECT '{SECRET}'::integer", "22P02"),
    "a trigger": (f"DO $$ BEGIN RAISE EXCEPTION 'not %', '{SECRET}'; END $$", "P0001"),
    "a foreign key": (
        f"INSERT INTO holidays (academic_year_id, name, start_date, end_date) VALUES ('{NOWHERE}', '{SECRET}', '2026-01-01', '2026-01-01')",
        "holidays_academic_year_id_fkey",
    ),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
async def test_a_refused_write_is_shown_without_its_values(database_url, what):
    statement, named = REFUSED[what]
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.PostgresError) as caught:
            await connection.execute(statement)
    finally:
        await connection.close()
    shown = "".join(traceback.format_exception_only(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    assert NOWHERE not in shown
    assert named in shown, "where it was refused is shown"


async def test_an_argument_of_the_wrong_type_is_shown_without_its_value(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.DataError) as caught:
            await connection.fetchval("SELECT $1::integer", SECRET)
    finally:
        await connection.close()
    assert SECRET not in "".join(traceback.format_exception(caught.value)).replace(f'"{SECRET}"', "")


async def test_an_error_that_quotes_no_value_keeps_its_message(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.UndefinedColumnError, match='column "nonexistent" does not exist'):
            await connection.fetchval("SELECT nonexistent FROM users")
    finally:
        await connection.close()


def test_a_command_says_what_the_database_says_without_the_row(database_url):
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(REFUSED["a check"][0])
    assert SECRET in str(caught.value)
    assert SECRET not in describe_database_error(caught.value)
    assert "users_phone_check" in describe_database_error(caught.value)
