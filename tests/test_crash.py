"""A server that is killed in the middle of payments: the books add up, what was acknowledged is there, what was not is booked once when it is sent again."""

import asyncio
import os
import signal
from uuid import uuid4

import asyncpg
import httpx2
import psycopg
import pytest

from db.books import check_books_of
from tests.folders import reachable_folder
from tests.test_serve import Program

PAY = """mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) {
  receipt { id number amount transactions { nodes { id } } } userErrors { code } } }"""
REFUND = "mutation ($input: RefundPaymentInput!) { refundPayment(input: $input) { transaction { id amount } userErrors { code } } }"
COUNT = 240


async def send(http, token, request):
    """The payload of a request, None when it was not answered."""
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
            given = {"transactionId": f"txn_{paid[n // 6]['id'].hex}", "amount": "1", "reason": "Crash", "idempotencyKey": key}
            requests.append((REFUND, given))
        else:
            allocations = [{"paymentId": f"pay_{owed[n % 30]['id'].hex}", "amount": "0.5"}]
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
    told = [n for n in range(COUNT) if acknowledged(answers[n])]
    assert kill_after <= len(told) < COUNT, "it died in the middle"

    def broken():
        with psycopg.connect(demo_url) as books:
            return [finding.check.says for finding in check_books_of(books) if finding.broken]

    # What the killed server's connections were doing ends when PostgreSQL notices.
    for _ in range(200):
        if not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ):
            break
        await asyncio.sleep(0.05)
    assert broken() == []
    entries = [
        node["id"]
        for n in told
        for node in ([answers[n]["transaction"]] if "transaction" in answers[n] else answers[n]["receipt"]["transactions"]["nodes"])
    ]
    assert len(set(entries)) == len(told)
    there = await connection.fetchval(
        "SELECT count(*) FROM payment_transactions WHERE id = ANY($1::uuid[])", [each[4:] for each in entries]
    )
    assert there == len(told), "every acknowledged entry is there"

    program = Program(reachable_folder("crash"), DATABASE_URL=demo_url, ENVIRONMENT="test")
    try:
        program.ready()
        token = program.token()
        async with httpx2.AsyncClient(base_url=program.base, timeout=20) as http:
            again = [await send(http, token, request) for request in requests]
    finally:
        program.stop(signal.SIGKILL)
    assert all(acknowledged(each) for each in again)
    assert [again[n] for n in told] == [answers[n] for n in told], "what was acknowledged is answered again"
    assert await connection.fetchval("SELECT count(*) FROM payment_transactions") == before + COUNT, "each was booked once"
    assert broken() == []
    await connection.close()
