"""Money on real parallel connections, through the mutations themselves: once, never too much, without a gap, without a deadlock."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
import pytest_asyncio

from auth.authenticator import Authenticator
from config import Settings
from db.books import check_books
from db.pool import Database
from tests.asking import School
from tests.schema.writing.bursary import act, books, charge, entry, make_family, money, pay
from tests.schema.writing.classroom import codes
from tests.writable import NOW

SIZE = 60


@asynccontextmanager
async def opened(url):
    """A school behind a pool of sixty connections, all of them open before anything begins."""
    settings = Settings(environment="test", pool_min_size=SIZE, pool_max_size=SIZE, pool_acquire_seconds=60)
    database = await Database.open(settings, url)
    school = School(database)
    school.services.authenticator = Authenticator(database, settings, url)
    await school.services.authenticator.start()
    try:
        yield school
    finally:
        await school.services.authenticator.stop()
        await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wide(databases):
    name = uuid4().hex[:12]
    url = databases.clone("demo", name)
    databases.set_clock(name, NOW)
    async with opened(url) as school:
        yield school
        async with school.database.acquire() as connection:
            broken = [finding.check.says for finding in await check_books(connection) if finding.broken]
        assert broken == []
    databases.drop(name)


@pytest.fixture
async def family(wide):
    return await make_family(wide)


async def test_fifty_parallel_payments_with_one_key_charge_once(wide, family):
    one, key = await charge(wide, family), uuid4().hex
    before = await books(wide)
    answers = await asyncio.gather(*(pay(wide, (one, "30"), key=key) for _ in range(50)))
    assert all(codes(answer) == [] for answer in answers)
    assert len({answer["receipt"]["id"] for answer in answers}) == 1
    after = await books(wide)
    assert [after[n] - before[n] for n in (0, 1, 2, 6)] == [1, 1, 1, 1], "one entry, one receipt, one number, one key"
    assert await money(wide, one) == ("PARTIAL", 70)


async def test_fifty_parallel_payments_with_keys_of_their_own_never_exceed_what_is_owed(wide, family):
    one = await charge(wide, family)
    answers = await asyncio.gather(*(pay(wide, (one, "7")) for _ in range(50)))
    paid = [answer for answer in answers if not codes(answer)]
    assert len(paid) == 14
    assert {code for answer in answers if answer not in paid for code in codes(answer)} == {("allocations.0.amount", "OVERPAID")}
    assert await money(wide, one) == ("PARTIAL", 2)


async def test_two_hundred_parallel_receipts_have_no_gap_and_no_double(wide, family):
    charges = await asyncio.gather(*(charge(wide, family, n % 2, due=f"2026-{4 + n // 25:02}-{1 + n % 25:02}") for n in range(20)))
    year = await wide.value("SELECT id FROM academic_years WHERE '2026-03-18' BETWEEN start_date AND end_date")
    last = await wide.value("SELECT last_number FROM receipt_counters WHERE academic_year_id = $1", year)
    # Every fourth is refused, and must leave no gap.
    answers = await asyncio.gather(
        *(pay(wide, (charges[n % 20], "1"), **({"amount": "2"} if n % 5 == 4 else {})) for n in range(250)),
    )
    numbers = sorted(answer["receipt"]["number"] for answer in answers if answer["receipt"])
    assert numbers == list(range(last + 1, last + 201))
    assert await wide.value("SELECT last_number FROM receipt_counters WHERE academic_year_id = $1", year) == last + 200


async def test_parallel_refunds_never_exceed_their_payment(wide, family):
    one = await charge(wide, family)
    await pay(wide, (one, "50"))
    first = await entry(wide, one)
    await pay(wide, (one, "50"))
    answers = await asyncio.gather(*(act(wide, "refundPayment", transactionId=first, amount="8", reason="Left") for _ in range(50)))
    assert sum(codes(answer) == [] for answer in answers) == 6
    assert {code for answer in answers for code in codes(answer)} == {("amount", "REFUND_TOO_LARGE")}
    assert await money(wide, one) == ("PARTIAL", 48)


async def test_payments_over_siblings_charges_in_opposite_orders_do_not_deadlock(wide, family):
    ids = [await charge(wide, family, n % 2, due=f"2026-04-{n + 1:02}") for n in range(6)]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await wide.value(deadlocks)
    answers = await asyncio.gather(*(pay(wide, *((each, "1") for each in (ids if n % 2 else ids[::-1]))) for n in range(60)))
    assert all(codes(answer) == [] for answer in answers)
    assert [await money(wide, each) for each in ids] == [("PARTIAL", 40)] * 6
    await wide.value("SELECT pg_stat_force_next_flush()")
    assert await wide.value(deadlocks) == before


async def test_a_payment_corrected_refunded_waived_and_cancelled_at_once_stays_within_its_rules(wide, family):
    one = await charge(wide, family)
    await pay(wide, (one, "100"))
    paid = await entry(wide, one)
    at_once = [
        *(act(wide, "refundPayment", transactionId=paid, amount="60", reason="x") for _ in range(5)),
        *(act(wide, "correctPayment", transactionId=paid, reason="x") for _ in range(5)),
        *(act(wide, "waiveCharge", paymentId=one, amount="60", reason="x") for _ in range(5)),
        *(act(wide, "cancelCharge", paymentId=one, reason="x") for _ in range(5)),
        *(pay(wide, (one, "60")) for _ in range(5)),
    ]
    answers = await asyncio.gather(*at_once)
    assert sum(codes(answer) == [] for answer in answers[:5]) + sum(codes(answer) == [] for answer in answers[5:10]) == 1
    row = await wide.database.fetchrow("SELECT * FROM payments WHERE id = $1", one[4:])
    assert row["paid_total"] - row["refunded_total"] <= row["amount"] - row["waived_total"]


async def test_a_duplicate_waits_for_the_first_and_is_answered_when_that_is_refused(wide, family):
    """The key's first holder is refused: it leaves no answer, and whoever waited does the work anew, and is refused for itself."""
    one, key = await charge(wide, family), uuid4().hex
    answers = await asyncio.gather(*(pay(wide, (one, "101"), key=key) for _ in range(10)))
    assert {code for answer in answers for code in codes(answer)} == {("allocations.0.amount", "OVERPAID")}
    assert await wide.value("SELECT count(*) FROM idempotency_keys WHERE key = $1", key) == 0


async def test_a_preview_applied_many_times_at_once_charges_once(wide):
    """By bursars with accounts of their own, since one account's writes wait for each other: the fee category's lock lets one after the other look."""
    family = await make_family(wide)
    emails = [f"{uuid4().hex}@demo.school" for _ in range(20)]
    for email in emails:
        await wide.database.execute(
            "INSERT INTO users (role, first_name, last_name, email) VALUES ('BURSAR', 'Extra', 'Bursar', $1)", email
        )
        await wide.viewer(email)
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05"}
    asked = "query ($input: PreviewChargesInput!) { previewCharges(input: $input) { hash } }"
    shown = (await wide.data(asked, "bursar@demo.school", input=given))["previewCharges"]["hash"]
    answers = await asyncio.gather(*(act(wide, "createCharges", viewer=email, hash=shown, **given) for email in emails))
    assert sum(answer["charged"] or 0 for answer in answers) == 2
    assert await wide.value("SELECT count(*) FROM payments WHERE fee_category_id = $1", family.category[4:]) == 2
