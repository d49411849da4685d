"""Tests a server that is killed during payments: records stay consistent, acknowledged payments are kept, and resent ones are booked once."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import httpx2
import psycopg
import pytest

from db.books import check_books_of
from tests.server_process import Program
from tests.temp_folders import reachable_folder

pytestmark = pytest.mark.processes

PAY = """mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) {
  receipt { id number amount transactions { nodes { id } } } userErrors { code } } }"""
REFUND = "mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { transaction { id amount } userErrors { code } } }"
COUNT = 240
# The steps of a payment at which the server is killed, in order: from when its idempotency key is taken to when it has committed.
STEPS = [
    ("idempotency_keys", "AFTER INSERT"),
    ("receipts", "BEFORE INSERT"),
    ("payment_transactions", "BEFORE INSERT"),
    ("payments", "BEFORE UPDATE"),
    ("audit_logs", "BEFORE INSERT"),
    ("idempotency_keys", "BEFORE UPDATE"),
    ("the commit", ""),
]
_STOP = """CREATE OR REPLACE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$"""


async def send(http, token, request):
    """Sends a request and returns its payload; None if it was not answered."""
    query, given = request
    try:
        answer = await http.post(
            "/graphql", json={"query": query, "variables": {"input": given}}, headers={"authorization": f"Bearer {token}"}
        )
        body = answer.json()
    except (httpx2.TransportError, ValueError):
        return None
    return None if body.get("errors") else next(iter(body["data"].values()))


def acknowledged(payload):
    return payload is not None and payload["userErrors"] == []


def broken(url):
    """Returns the names of the consistency checks that find something."""
    with psycopg.connect(url) as books:
        return [finding.check.description for finding in check_books_of(books) if finding.broken]


async def alone(connection):
    """Waits until PostgreSQL has ended the connections of a killed server."""
    async with asyncio.timeout(60):
        while await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ):
            await connection.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.05)")


@pytest.mark.parametrize("kill_after", [12, 75])
async def test_a_killed_server_leaves_books_that_add_up_and_a_retry_charges_once(demo_url, kill_after):
    connection = await asyncpg.connect(demo_url)
    owed = await connection.fetch("SELECT id FROM payments WHERE status = 'PENDING' AND balance > 20 ORDER BY id DESC LIMIT 30")
    paid = await connection.fetch(
        "SELECT t.id FROM payment_transactions t JOIN payments p ON p.id = t.payment_id WHERE t.kind = 'PAYMENT' AND p.status = 'PAID' AND t.amount > 10"
        " AND NOT EXISTS (SELECT FROM payment_transactions r WHERE r.linked_id = t.id) ORDER BY t.id DESC LIMIT 40"
    )
    before = await connection.fetchval("SELECT count(*) FROM payment_transactions")
    requests = []
    for n in range(COUNT):
        key = uuid4().hex
        if n % 6 == 5:
            given = {"id": f"txn_{paid[n // 6]['id'].hex}", "amount": "1", "reason": "Crash", "idempotencyKey": key}
            requests.append((REFUND, given))
        else:
            allocations = [{"chargeId": f"chg_{owed[n % 30]['id'].hex}", "amount": "0.5"}]
            given = {"amount": "0.5", "currency": "EUR", "method": "CASH", "allocations": allocations, "idempotencyKey": key}
            requests.append((PAY, given))
    answers = [None] * COUNT
    program = Program(reachable_folder("crash"), DATABASE_URL=demo_url, ENVIRONMENT="test")
    try:
        program.ready()
        token = program.token()
        waiting = iter(range(COUNT))
        done = 0
        async with httpx2.AsyncClient(base_url=program.base, timeout=20) as http:

            async def stream():
                nonlocal done
                for n in waiting:
                    answers[n] = await send(http, token, requests[n])
                    done += acknowledged(answers[n])
                    if done >= kill_after and program.process.poll() is None:
                        os.kill(program.process.pid, signal.SIGKILL)

            await asyncio.gather(*(stream() for _ in range(12)))
        assert program.process.wait(10) == -signal.SIGKILL
    finally:
        if program.process.poll() is None:
            program.stop(signal.SIGKILL)
    confirmed = [n for n in range(COUNT) if acknowledged(answers[n])]
    assert kill_after <= len(confirmed) < COUNT, "it died in the middle"

    await alone(connection)
    assert broken(demo_url) == []
    entries = [
        node["id"]
        for n in confirmed
        for node in ([answers[n]["transaction"]] if "transaction" in answers[n] else answers[n]["receipt"]["transactions"]["nodes"])
    ]
    assert len(set(entries)) == len(confirmed)
    there = await connection.fetchval(
        "SELECT count(*) FROM payment_transactions WHERE id = ANY($1::uuid[])", [each[4:] for each in entries]
    )
    assert there == len(confirmed), "every acknowledged entry is there"

    program = Program(reachable_folder("crash"), DATABASE_URL=demo_url, ENVIRONMENT="test")
    try:
        program.ready()
        token = program.token()
        async with httpx2.AsyncClient(base_url=program.base, timeout=20) as http:
            again = [await send(http, token, request) for request in requests]
    finally:
        program.stop(signal.SIGKILL)
    assert all(acknowledged(each) for each in again)
    assert [again[n] for n in confirmed] == [answers[n] for n in confirmed], "what was acknowledged is answered again"
    assert await connection.fetchval("SELECT count(*) FROM payment_transactions") == before + COUNT, "each was booked once"
    assert broken(demo_url) == []
    await connection.close()


@asynccontextmanager
async def standing_still(connection, table, event):
    """Makes payments wait at this step until the block ends."""
    await connection.execute(_STOP)
    if event:
        await connection.execute(f"CREATE TRIGGER stand_still {event} ON {table} FOR EACH ROW EXECUTE FUNCTION stand_still()")
    else:
        await connection.execute(
            "CREATE CONSTRAINT TRIGGER stand_still AFTER UPDATE ON idempotency_keys DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION stand_still()"
        )
    await connection.execute("SELECT pg_advisory_lock(4711)")
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock(4711)")
        await alone(connection)
        await connection.execute("DROP FUNCTION stand_still CASCADE")


@pytest.mark.timeout(400)
async def test_a_server_killed_at_any_step_of_a_payment_has_booked_all_of_it_or_nothing(demo_url):
    """Checks also that a payment that was not acknowledged is booked once when the client sends it again."""
    connection = await asyncpg.connect(demo_url)
    owed = await connection.fetchval("SELECT id FROM payments WHERE status = 'PENDING' AND balance > 20 ORDER BY id LIMIT 1")
    entries = "SELECT count(*) FROM payment_transactions"
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
    pending = None
    program = None
    try:
        for table, event in [*STEPS, (None, None)]:
            program = Program(reachable_folder("crash"), DATABASE_URL=demo_url, ENVIRONMENT="test")
            program.ready()
            token = program.token()
            async with httpx2.AsyncClient(base_url=program.base, timeout=20) as http:
                if pending is not None:
                    request, before = pending
                    answer = await send(http, token, request)
                    assert acknowledged(answer), answer
                    assert await connection.fetchval(entries) == before + 1, "it is booked once"
                if table is None:
                    break
                before = await connection.fetchval(entries)
                allocations = [{"chargeId": f"chg_{owed.hex}", "amount": "0.5"}]
                given = {"amount": "0.5", "currency": "EUR", "method": "CASH", "allocations": allocations, "idempotencyKey": uuid4().hex}
                async with standing_still(connection, table, event):
                    paying = asyncio.create_task(send(http, token, (PAY, given)))
                    async with asyncio.timeout(60):
                        while not await connection.fetchval(waits):
                            await connection.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.02)")
                    os.kill(program.process.pid, signal.SIGKILL)
                    program.process.wait(10)
                    assert await paying is None
                booked = await connection.fetchval(entries) - before
                assert booked == (0 if event else 1), f"killed at {event} {table}: only what had begun to commit is booked"
                assert broken(demo_url) == [], f"killed at {event} {table}"
                pending = ((PAY, given), before)
    finally:
        if program is not None and program.process.poll() is None:
            program.stop(signal.SIGKILL)
        await connection.close()
