"""Tests that `make bench-writes` writes registers and payments as intended: a short run on the demo school leaves consistent records."""

from datetime import date
from uuid import uuid4

import psycopg
import pytest

from benchmarks.contest.contestants import BREADTH_FIRST
from benchmarks.contest.load import LoadError, load
from benchmarks.contest.run import contest, sign_in
from benchmarks.writing.__main__ import books
from benchmarks.writing.payments import owed, payments
from benchmarks.writing.registers import places, registers
from tests.databases import SEED_DATE
from tests.writable_school import NOW

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def running(databases):
    name = uuid4().hex[:12]
    url = databases.clone("demo", name)
    databases.set_clock(name, NOW)
    with contest(url, "") as found:
        found.start(BREADTH_FIRST)
        yield found
    databases.drop(name)


def _count(url, statement):
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchone()[0]


def test_registers_and_payments_are_written_and_the_books_add_up(running):
    address = running.servers["breadth_first"].address
    administrator = sign_in(running.servers["breadth_first"], "admin@demo.school")
    bursar = sign_in(running.servers["breadth_first"], "bursar@demo.school")
    taken = places(running.url, 2, SEED_DATE)
    writers = [registers([place], {place.user_id: administrator}) for place in taken]
    subject_registers = "SELECT count(*) FROM registers WHERE subject_id IS NOT NULL"
    subject_marks = "SELECT count(*) FROM attendance WHERE subject_id IS NOT NULL"
    before, marks_before = _count(running.url, subject_registers), _count(running.url, subject_marks)
    done = running.run(load(address, writers, seconds=0.2))
    assert done.requests >= 2
    assert _count(running.url, subject_registers) == before + done.requests
    assert _count(running.url, subject_marks) >= marks_before + done.requests * 15
    before = _count(running.url, "SELECT count(*) FROM receipts")
    charges = iter(owed(running.url))
    paid = running.run(load(address, [payments(charges, bursar) for _ in range(2)], seconds=0.2))
    assert _count(running.url, "SELECT count(*) FROM receipts") == before + paid.requests
    assert books(running.url) == "The books add up after all of it."


def test_a_write_that_is_refused_ends_the_run(running):
    guardian = sign_in(running.servers["breadth_first"], "guardian@demo.school")
    charges = iter(owed(running.url))
    with pytest.raises(LoadError, match="FORBIDDEN"):
        running.run(load(running.servers["breadth_first"].address, [payments(charges, guardian)], seconds=0.2))


def test_places_are_of_the_day_that_the_school_was_seeded_for(running):
    assert places(running.url, 2, SEED_DATE)
    assert places(running.url, 2, date(2020, 1, 1)) == []
