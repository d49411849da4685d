"""Tests parallel payments on real connections: each is booked once, amounts are never exceeded, numbers have no gaps, nothing deadlocks.

Different people have different accounts. Each test holds the lock at which the requests meet until all of them wait for it.
"""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from auth.authenticator import Authenticator
from config import Settings
from db.books import check_books
from db.pool import Database
from tests.graphql_school import School
from tests.schema.writing.charge_builder import BURSAR, act, books, charge, entry, make_bursars, make_family, money, pay
from tests.schema.writing.class_builder import codes
from tests.schema.writing.lock_barrier import all_at_once, concurrent_transaction
from tests.writable_school import NOW

SIZE = 60
HOLD_CHARGE = "SELECT FROM payments WHERE id = $1::uuid FOR UPDATE"


@asynccontextmanager
async def opened(url):
    """Yields a school with a pool of sixty connections, all of which are open."""
    settings = Settings(environment="test", pool_min_size=SIZE, pool_max_size=SIZE, pool_acquire_seconds=60)
    database = await Database.open(settings, url)
    school = School(database)
    school.url = url
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
            broken = [finding.check.description for finding in await check_books(connection) if finding.broken]
        assert broken == []
    databases.drop(name)


@pytest.fixture
async def family(wide):
    return await make_family(wide)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bursars(wide):
    """Returns as many bursars as the pool has connections."""
    return await make_bursars(wide, SIZE)


async def test_fifty_parallel_payments_with_one_key_charge_once(wide, family):
    one, key = await charge(wide, family), uuid4().hex
    before = await books(wide)
    answers = await all_at_once(wide, HOLD_CHARGE, one[4:], requests=[pay(wide, (one, "30"), key=key) for _ in range(50)])
    assert all(codes(answer) == [] for answer in answers)
    assert len({answer["receipt"]["id"] for answer in answers}) == 1
    after = await books(wide)
    assert [after[n] - before[n] for n in (0, 1, 2)] == [1, 1, 1], "one entry, one receipt, one number"
    assert await wide.value("SELECT array_agg(mutation ORDER BY mutation) FROM idempotency_keys WHERE key = $1", key) == [
        "RecordPayment",
        "recordPayment",
    ], "one key, in both of its scopes"
    assert await money(wide, one) == ("PARTIAL", 70)


async def test_writes_of_one_account_run_at_once(wide, family):
    """Checks that payments of one account don't wait for each other, except for the one whose charge is locked here."""
    held, free = await charge(wide, family), await charge(wide, family, 1)
    async with concurrent_transaction(wide) as (other, somebody_waits):
        await other.fetch(HOLD_CHARGE, held[4:])
        waiting = asyncio.create_task(pay(wide, (held, "1")))
        await somebody_waits()
        async with asyncio.timeout(20):
            assert codes(await pay(wide, (free, "1"))) == []
            assert codes(await act(wide, "waiveCharge", id=free, amount="1", reason="x")) == []
        assert not waiting.done()
    assert codes(await waiting) == []


async def test_a_revocation_stops_what_begins_after_it_and_waits_for_nothing(wide, family):
    """Checks that writes that began before the revocation was committed finish, and that no write waits for a revocation."""
    [email] = await make_bursars(wide, 1)
    one, viewer = await charge(wide, family), await wide.viewer(email)
    async with concurrent_transaction(wide) as (other, _):
        await other.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
        async with asyncio.timeout(20):
            assert codes(await pay(wide, (one, "1"), viewer=viewer)) == []
    before = await books(wide)
    given = {"id": one, "reason": "x", "idempotencyKey": "late"}
    query = "mutation ($input: WaiveChargeInput!) { waiveCharge(input: $input) { userErrors { code } } }"
    assert (await wide.ask(query, viewer, input=given)).codes == ["UNAUTHENTICATED"]
    assert await books(wide) == before


async def test_fifty_parallel_payments_with_keys_of_their_own_never_exceed_what_is_owed(wide, family, bursars):
    one = await charge(wide, family)
    answers = await all_at_once(
        wide, HOLD_CHARGE, one[4:], requests=[pay(wide, (one, "7"), viewer=each, key="mine") for each in bursars[:50]]
    )
    paid = [answer for answer in answers if not codes(answer)]
    assert len(paid) == 14
    assert {code for answer in answers if answer not in paid for code in codes(answer)} == {("allocations.0.amount", "OVERPAID")}
    assert await money(wide, one) == ("PARTIAL", 2)


@pytest.fixture
async def failing_at_commit(wide):
    """Payments of 3 come to nothing at the very end, when they have their number."""
    await wide.database.execute(
        """CREATE FUNCTION fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.amount = 3 THEN RAISE EXCEPTION 'something broke' USING ERRCODE = 'internal_error'; END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER fail_at_commit AFTER INSERT ON payment_transactions DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fail_at_commit()"""
    )
    yield
    await wide.database.execute("DROP FUNCTION fail_at_commit CASCADE")


@pytest.mark.usefixtures("failing_at_commit")
async def test_two_hundred_parallel_receipts_have_no_gap_and_no_double(wide, family, bursars):
    charges = await asyncio.gather(*(charge(wide, family, n % 2, due=f"2026-{4 + n // 25:02}-{1 + n % 25:02}") for n in range(20)))
    year = await wide.value("SELECT id FROM academic_years WHERE '2026-03-18' BETWEEN start_date AND end_date")
    last = await wide.value("SELECT last_number FROM receipt_counters WHERE academic_year_id = $1", year)

    async def paid(n):
        # One in twelve is refused by a rule, and one fails when it has its number: neither may leave a gap.
        amount = {"amount": "2"} if n % 12 == 4 else {}
        part = "3" if n % 12 == 7 else "1"
        try:
            return await pay(wide, (charges[n % 20], part), viewer=bursars[n % SIZE], **amount)
        except AssertionError as failed:
            if "INTERNAL_SERVER_ERROR" not in str(failed):
                raise
            return None

    hold = "SELECT FROM receipt_counters WHERE academic_year_id = $1 FOR UPDATE"
    answers = await all_at_once(wide, hold, year, requests=[paid(n) for n in range(240)], waiting=SIZE)
    assert answers.count(None) == 20
    assert sum(codes(answer) == [("amount", "ALLOCATION_MISMATCH")] for answer in answers if answer) == 20
    numbers = sorted(answer["receipt"]["number"] for answer in answers if answer and answer["receipt"])
    assert numbers == list(range(last + 1, last + 201))
    assert await wide.value("SELECT last_number FROM receipt_counters WHERE academic_year_id = $1", year) == last + 200


async def test_parallel_refunds_never_exceed_their_payment(wide, family, bursars):
    one = await charge(wide, family)
    await pay(wide, (one, "50"))
    first = await entry(wide, one)
    await pay(wide, (one, "50"))
    given = {"id": first, "amount": "8", "reason": "Left"}
    refunds = [act(wide, "refundPayment", viewer=each, **given) for each in bursars[:50]]
    answers = await all_at_once(wide, HOLD_CHARGE, one[4:], requests=refunds)
    assert sum(codes(answer) == [] for answer in answers) == 6
    assert {code for answer in answers for code in codes(answer)} == {("amount", "REFUND_TOO_LARGE")}
    assert {each["message"] for answer in answers for each in answer["userErrors"]} == {"At most 2 EUR of this payment can be refunded."}
    assert await money(wide, one) == ("PARTIAL", 48)


async def test_payments_over_siblings_charges_in_opposite_orders_do_not_deadlock(wide, family, bursars):
    ids = [await charge(wide, family, n % 2, due=f"2026-04-{n + 1:02}") for n in range(6)]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await wide.value(deadlocks)
    hold = "SELECT FROM payments WHERE id = ANY($1::uuid[]) FOR UPDATE"
    orders = (ids, ids[::-1])
    payments = [pay(wide, *((each, "1") for each in orders[n % 2]), viewer=bursar) for n, bursar in enumerate(bursars)]
    answers = await all_at_once(wide, hold, [each[4:] for each in ids], requests=payments)
    assert all(codes(answer) == [] for answer in answers)
    assert [await money(wide, each) for each in ids] == [("PARTIAL", 40)] * 6
    await wide.value("SELECT pg_stat_force_next_flush()")
    assert await wide.value(deadlocks) == before


async def test_a_payment_corrected_refunded_waived_and_cancelled_at_once_stays_within_its_rules(wide, family, bursars):
    one = await charge(wide, family)
    await pay(wide, (one, "100"))
    paid = await entry(wide, one)
    kinds = [
        lambda who: act(wide, "refundPayment", viewer=who, id=paid, amount="60", reason="x"),
        lambda who: act(wide, "correctPayment", viewer=who, id=paid, reason="x"),
        lambda who: act(wide, "waiveCharge", viewer=who, id=one, amount="60", reason="x"),
        lambda who: act(wide, "cancelCharge", viewer=who, id=one, reason="x"),
        lambda who: pay(wide, (one, "60"), viewer=who),
    ]
    requests = [kinds[n // 5](bursars[n]) for n in range(25)]
    answers = await all_at_once(wide, HOLD_CHARGE, one[4:], requests=requests)
    done = [sum(codes(answer) == [] for answer in answers[n : n + 5]) for n in range(0, 25, 5)]
    assert done[0] + done[1] == 1
    # What is refused is refused by who looked under the lock; the database's own CHECKs have nothing left to refuse.
    cancelled = {"id", "allocations.0.chargeId"}
    assert {code for answer in answers for code in codes(answer)} <= {
        ("id", "CORRECTED"), ("id", "HAS_REFUNDS"), ("amount", "REFUND_TOO_LARGE"), ("amount", "WAIVER_TOO_LARGE"),
        ("id", "NOTHING_OWED"), ("id", "HAS_PAYMENTS"), ("allocations.0.amount", "OVERPAID"), *((each, "CANCELLED") for each in cancelled),
    }  # fmt: skip
    row = await wide.database.fetchrow("SELECT * FROM payments WHERE id = $1", one[4:])
    assert row["paid_total"] - row["refunded_total"] <= row["amount"] - row["waived_total"]


async def test_a_payment_is_taken_back_once_however_many_take_it_back_at_once(wide, family, bursars):
    one = await charge(wide, family)
    await pay(wide, (one, "100"))
    paid = await entry(wide, one)
    corrections = [act(wide, "correctPayment", viewer=each, id=paid, reason="x") for each in bursars[:20]]
    answers = await all_at_once(wide, HOLD_CHARGE, one[4:], requests=corrections)
    assert sorted(codes(answer) for answer in answers) == [[], *[[("id", "CORRECTED")]] * 19]
    assert await money(wide, one) == ("PENDING", 100)


async def test_a_charge_that_is_paid_and_cancelled_at_once_is_one_of_both(wide, family, bursars):
    for _ in range(4):
        one = await charge(wide, family)
        cancels = [act(wide, "cancelCharge", viewer=each, id=one, reason="x") for each in bursars[:10]]
        payments = [pay(wide, (one, "100"), viewer=each) for each in bursars[10:20]]
        answers = await all_at_once(
            wide, HOLD_CHARGE, one[4:], requests=[each for pair in zip(cancels, payments, strict=True) for each in pair]
        )
        assert sum(codes(answer) == [] for answer in answers) == 1
        status, _ = await money(wide, one)
        refused = {code for answer in answers for code in codes(answer)}
        assert (
            refused
            == {
                "CANCELLED": {("id", "CANCELLED"), ("allocations.0.chargeId", "CANCELLED")},
                "PAID": {("id", "HAS_PAYMENTS"), ("allocations.0.amount", "OVERPAID")},
            }[status]
        )


async def test_of_changes_made_from_one_version_at_once_one_is_made(wide, family, bursars):
    one = await charge(wide, family)
    version = await wide.value("SELECT version FROM payments WHERE id = $1", one[4:])
    changes = [
        act(wide, "updateCharge", viewer=each, id=one, version=version, description=f"Trip {n}") for n, each in enumerate(bursars[:20])
    ]
    answers = await all_at_once(wide, HOLD_CHARGE, one[4:], requests=changes)
    assert sorted(codes(answer) for answer in answers) == [[], *[[("version", "CONFLICT")]] * 19]
    assert len({answer["charge"]["description"] for answer in answers}) == 1, "the others are shown what it is now"


async def test_a_duplicate_waits_for_the_first_and_is_answered_when_that_is_refused(wide, family):
    """Checks that a refused request stores no result for its key, so that the duplicate that waited is executed, and refused, itself."""
    one, key = await charge(wide, family), uuid4().hex
    answers = await all_at_once(wide, HOLD_CHARGE, one[4:], requests=[pay(wide, (one, "101"), key=key) for _ in range(10)])
    assert {code for answer in answers for code in codes(answer)} == {("allocations.0.amount", "OVERPAID")}
    assert await wide.value("SELECT count(*) FROM idempotency_keys WHERE key = $1", key) == 0


async def test_a_preview_applied_many_times_at_once_charges_once(wide, bursars):
    """Checks that the fee category's lock serialises the requests, so that later ones see what was charged."""
    family = await make_family(wide)
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05"}
    asked = "query ($input: PreviewChargesInput!) { previewCharges(input: $input) { hash } }"
    shown = (await wide.data(asked, BURSAR, input=given))["previewCharges"]["hash"]
    hold = "SELECT FROM fee_categories WHERE id = $1::uuid FOR UPDATE"
    runs = [act(wide, "createCharges", viewer=each, hash=shown, **given) for each in bursars[:20]]
    answers = await all_at_once(wide, hold, family.category[4:], requests=runs)
    assert sorted(answer["chargeCount"] or 0 for answer in answers) == [*[0] * 19, 2]
    assert {code for answer in answers for code in codes(answer)} == {("hash", "PLAN_CHANGED")}
    assert await wide.value("SELECT count(*) FROM payments WHERE fee_category_id = $1", family.category[4:]) == 2


BY_HAND = {
    "REFUND": "INSERT INTO payment_transactions (payment_id, linked_id, kind, amount, currency) VALUES ($1::uuid, $2::uuid, 'REFUND', 30, 'EUR')",
    "CORRECTION": "INSERT INTO payment_transactions (payment_id, linked_id, kind, corrected_kind, amount, currency)"
    " VALUES ($1::uuid, $2::uuid, 'CORRECTION', 'PAYMENT', 50, 'EUR')",
    "WAIVER": "INSERT INTO payment_transactions (payment_id, linked_id, kind, amount, currency) VALUES ($1::uuid, $2::uuid, 'WAIVER', 60, 'EUR')",
}


@pytest.mark.parametrize("kind", BY_HAND)
async def test_who_writes_past_the_mutations_breaks_no_rule_either(wide, family, kind):
    """Checks that the database protects the ledger itself: of two concurrent entries that exceed a limit together, one is refused.

    They are two refunds of 30 of an entry of 50, next to another of 50; two corrections of one entry; and two waivers of 60 of the 110 owed.
    """
    one = await charge(wide, family, amount="210" if kind == "WAIVER" else "100")
    await pay(wide, (one, "50"))
    first = await entry(wide, one)
    await pay(wide, (one, "50"))

    async def refused():
        try:
            await wide.database.execute(BY_HAND[kind], one[4:], first[4:] if kind != "WAIVER" else None)
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DeadlockDetectedError):
            return True
        return False

    assert sorted(await all_at_once(wide, HOLD_CHARGE, one[4:], requests=[refused(), refused()])) == [False, True]
    # At once, PostgreSQL may have refused one of them because each waited for the other; afterwards there is only the rule.
    assert await refused()
    made = "SELECT count(*) FROM payment_transactions WHERE payment_id = $1::uuid AND kind = $2"
    assert await wide.value(made, one[4:], kind) == 1
