"""Tests Stripe's webhook over HTTP on a real database: events are verified, booked once, and kept if they cannot be booked."""

import asyncio
import time
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio

from tests.gateways.stripe_events import SECRET, checkout, deliver, intent, refunded, signature
from tests.in_process_server import serving
from tests.schema.writing.charge_builder import BURSAR, act, charge, entry, make_family, money
from tests.schema.writing.lock_barrier import all_at_once, concurrent_transaction

OTHER = "whsec_" + "b" * 32
EVENT = "id state problem amount currency gatewayId eventType"
LIST = f"{{ gatewayEvents(first: 50) {{ totalCount nodes {{ {EVENT} }} }} }}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(writable):
    async with serving(writable.url, stripe_webhook_secrets=(SECRET, OTHER)) as client:
        yield client


@pytest.fixture
async def family(writable):
    return await make_family(writable)


@pytest.fixture
async def one(writable, family):
    return await charge(writable, family)


async def moved(school):
    return await school.database.fetchrow(
        "SELECT (SELECT count(*) FROM payment_transactions), (SELECT count(*) FROM receipts), (SELECT count(*) FROM gateway_events)"
    )


async def kept(school, event):
    return await school.database.fetchrow("SELECT id, state, problem FROM gateway_events WHERE event_id = $1", event["id"])


async def settle(school, name, event_id, viewer=BURSAR, **given):
    query = f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        gatewayEvent {{ {EVENT} }} userErrors {{ field code }} }} }}"""
    return (await school.data(query, viewer, input={"id": f"gwe_{event_id.hex}", "idempotencyKey": uuid4().hex, **given}))[name]


async def test_a_payment_is_booked_with_a_receipt_and_nobody_acts(client, writable, one):
    event = intent(one, 4000)
    assert await deliver(client, event) == (200, "BOOKED")
    assert await money(writable, one) == ("PARTIAL", 60)
    entry = await writable.database.fetchrow("SELECT * FROM payment_transactions WHERE payment_id = $1", one[4:])
    assert (entry["gateway"], entry["gateway_id"]) == ("stripe", event["data"]["object"]["id"])
    assert (entry["method"], entry["amount"], entry["processed_by"]) == ("ONLINE", 40, None)
    assert entry["receipt_id"]
    audit = await writable.database.fetchrow("SELECT user_id, request_id FROM audit_logs WHERE record_id = $1", entry["id"])
    assert audit["user_id"] is None
    assert audit["request_id"]


async def test_one_payment_is_spread_over_the_charges_of_siblings_as_the_metadata_says(client, writable, family, one):
    two = await charge(writable, family, 1, amount="50")
    three = await charge(writable, family, 1, amount="50")
    assert await deliver(client, intent(f"{one}:12.50, {two}", 2000, rollcall_charges_2=f"{three}:1.5")) == (200, "BOOKED")
    assert [await money(writable, each) for each in (one, two, three)] == [("PARTIAL", 87.5), ("PARTIAL", 44), ("PARTIAL", 48.5)]


@pytest.mark.parametrize(("currency", "units", "amount"), [("JPY", 4000, "4000"), ("KWD", 12345, "12.345"), ("ISK", 4000, "40")])
async def test_units_are_the_currencys_smallest(client, writable, currency, units, amount):
    bill = await charge(writable, await make_family(writable, 1, currency=currency, amount="5000"), amount="5000")
    assert await deliver(client, intent(bill, units, currency=currency.lower())) == (200, "BOOKED")
    assert await money(writable, bill) == ("PARTIAL", 5000 - Decimal(amount))


async def test_a_replay_is_harmless_and_so_are_parallel_ones(client, writable, one):
    event = intent(one, 4000)
    hold = "SELECT FROM payments WHERE id = $1::uuid FOR UPDATE"
    answers = await all_at_once(writable, hold, one[4:], requests=[deliver(client, event) for _ in range(20)])
    assert {status for status, _ in answers} == {200}
    assert sorted(state for _, state in answers) == ["BOOKED", *["KNOWN"] * 19]
    before = await moved(writable)
    assert await deliver(client, event) == (200, "KNOWN")
    assert await moved(writable) == before
    assert await money(writable, one) == ("PARTIAL", 60)


async def test_two_kinds_of_events_of_one_payment_book_it_once(client, writable, one):
    for _ in range(3):
        event = intent(one, 1000)
        session = checkout(one, 1000, event["data"]["object"]["id"])
        hold = "SELECT FROM payments WHERE id = $1::uuid FOR UPDATE"
        answers = await all_at_once(writable, hold, one[4:], requests=[deliver(client, event), deliver(client, session)])
        assert sorted(state for _, state in answers) == ["BOOKED", "REPEATED"]
    assert await money(writable, one) == ("PARTIAL", 70)
    assert await deliver(client, checkout(one, 1000, "pi_later", status="unpaid")) == (200, "IGNORED")


async def test_refunds_are_booked_by_what_was_paid_back_in_all(client, writable, family, one):
    two = await charge(writable, family, 1, amount="50", due="2026-05-01")
    event = intent(f"{one}:100,{two}:50", 15000)
    payment = event["data"]["object"]["id"]
    await deliver(client, event)
    late = refunded(payment, 2000)
    assert await deliver(client, refunded(payment, 6000)) == (200, "BOOKED")
    assert (await money(writable, one), await money(writable, two)) == (("PARTIAL", 10), ("REFUNDED", 50)), "what was filled last"
    assert await deliver(client, late) == (200, "BOOKED"), "it came too late, and changes nothing"
    assert await deliver(client, refunded(payment, 6000)) == (200, "REPEATED")
    assert await money(writable, one) == ("PARTIAL", 10)
    hold = "SELECT FROM payments WHERE id = $1::uuid FOR UPDATE"
    answers = await all_at_once(writable, hold, one[4:], requests=[deliver(client, refunded(payment, 15000)) for _ in range(5)])
    assert sorted(state for _, state in answers) == ["BOOKED", *["REPEATED"] * 4]
    assert await money(writable, one) == ("REFUNDED", 100)
    assert await deliver(client, refunded(payment, 15001)) == (200, "FAILED")
    assert await deliver(client, refunded("pi_of_somebody_else", 100)) == (200, "FAILED")


async def test_refunds_that_come_before_their_payment_are_booked_with_it(client, writable, one):
    event = intent(one, 10000)
    payment = event["data"]["object"]["id"]
    early = [refunded(payment, 2000), refunded(payment, 5000), refunded(payment, 3000)]
    assert [await deliver(client, each) for each in early] == [(200, "FAILED")] * 3
    other = refunded(f"{payment}_of_another", 2000)
    await deliver(client, other)
    assert await deliver(client, event) == (200, "BOOKED")
    assert await money(writable, one) == ("PARTIAL", 50)
    assert [(await kept(writable, each))["state"] for each in early] == ["BOOKED"] * 3
    assert (await kept(writable, early[0]))["problem"] is None
    assert (await kept(writable, other))["state"] == "FAILED", "of a payment that has not come"
    assert await deliver(client, refunded(payment, 6000)) == (200, "BOOKED")
    assert await money(writable, one) == ("PARTIAL", 60)


async def test_a_refund_that_came_too_early_is_booked_when_its_payment_is_retried(client, writable, one):
    event = intent(one, 15000)
    early = refunded(event["data"]["object"]["id"], 2000)
    assert [await deliver(client, each) for each in (early, event)] == [(200, "FAILED")] * 2
    row = await kept(writable, event)
    await writable.database.execute("UPDATE gateway_events SET facts = jsonb_set(facts, '{amount}', '\"50.00\"') WHERE id = $1", row["id"])
    again = await settle(writable, "retryGatewayEvent", row["id"])
    assert again["gatewayEvent"]["state"] == "BOOKED"
    assert (await kept(writable, early))["state"] == "BOOKED"
    assert await money(writable, one) == ("PARTIAL", 70)


@pytest.fixture
async def standing_still(writable):
    """Makes transactions that have settled an event wait before they commit, while the advisory lock 4711 is held."""
    await writable.database.execute(
        """CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER stand_still AFTER UPDATE ON gateway_events DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION stand_still()"""
    )
    yield
    await writable.database.execute("DROP FUNCTION stand_still CASCADE")


@pytest.mark.usefixtures("standing_still")
@pytest.mark.parametrize("first", ["payment", "refund"])
async def test_a_payment_and_its_refund_that_come_at_once_are_both_booked(client, writable, one, first):
    """Checks that the second one, whichever it is, waits until the first has committed, and sees its result."""
    payment = intent(one, 4000)
    refund = refunded(payment["data"]["object"]["id"], 1000)
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT pg_advisory_xact_lock(4711)")
        deliveries = []
        for count, event in enumerate((payment, refund) if first == "payment" else (refund, payment), 1):
            deliveries.append(asyncio.create_task(deliver(client, event)))
            await somebody_waits(count)
    assert {status for status, _ in await asyncio.gather(*deliveries)} == {200}
    assert await money(writable, one) == ("PARTIAL", 70)
    assert [(await kept(writable, each))["state"] for each in (payment, refund)] == ["BOOKED"] * 2


async def test_an_event_is_retried_or_laid_aside_and_never_both(client, writable, one):
    event = intent(one, 15000)
    await deliver(client, event)
    row = await kept(writable, event)
    await writable.database.execute("UPDATE gateway_events SET facts = jsonb_set(facts, '{amount}', '\"50.00\"') WHERE id = $1", row["id"])
    requests = [settle(writable, "retryGatewayEvent", row["id"]), settle(writable, "dismissGatewayEvent", row["id"], reason="By hand")]
    answers = await all_at_once(writable, "SELECT FROM gateway_events WHERE id = $1 FOR UPDATE", row["id"], requests=requests)
    assert sorted(str(each["userErrors"]) for each in answers) == ["[]", str([{"field": "id", "code": "SETTLED"}])]
    state = (await kept(writable, event))["state"]
    assert await money(writable, one) == {"BOOKED": ("PARTIAL", 50), "DISMISSED": ("PENDING", 100)}[state]


@pytest.mark.parametrize(("method", "left"), [(None, 70), ("ONLINE", 70), ("CASH", 90)])
async def test_what_was_entered_by_hand_as_paid_back_online_is_not_booked_again(client, writable, one, method, left):
    event = intent(one, 10000)
    payment = event["data"]["object"]["id"]
    await deliver(client, event)
    by_hand = {"id": await entry(writable, one), "amount": "20", "reason": "Left", **({"method": method} if method else {})}
    assert (await act(writable, "refundPayment", **by_hand))["userErrors"] == []
    assert await deliver(client, refunded(payment, 2000)) == (200, "BOOKED")
    assert await money(writable, one) == ("PARTIAL", left - 50)
    assert await deliver(client, refunded(payment, 7000)) == (200, "BOOKED")
    assert await money(writable, one) == ("PARTIAL", left)


async def test_what_was_told_and_taken_back_counts_as_untold(client, writable, one):
    """Checks a refund of the gateway that the bursar takes back: what the gateway reports afterwards is what has been moved."""
    event = intent(one, 10000)
    payment = event["data"]["object"]["id"]
    await deliver(client, event)
    await deliver(client, refunded(payment, 2000))
    refund = await entry(writable, one, "REFUND")
    assert (await act(writable, "correctPayment", id=refund, reason="x"))["userErrors"] == []
    assert await money(writable, one) == ("PAID", 0)
    assert await deliver(client, refunded(payment, 3000)) == (200, "BOOKED")
    assert await money(writable, one) == ("PARTIAL", 30)


async def test_a_bad_signature_is_a_400_and_leaves_nothing(client, writable, one):
    body = orjson.dumps(intent(one, 4000))
    now, good = int(time.time()), signature(body)
    before = await moved(writable)
    bad = ["", "x", good.replace("v1=", "v0="), signature(body, "whsec_" + "c" * 32), signature(body + b" "), good.replace("t=", "t=1"),
        f"{good},t={now}", signature(body, at=now - 310), signature(body, at=now + 310), good.split(",")[1], good + "," * 1_000]  # fmt: skip
    for header in bad:
        assert await deliver(client, None, body=body, header=header) == (400, "SIGNATURE_NOT_VALID"), header
    assert await moved(writable) == before
    assert await deliver(client, None, body=body, header=signature(body, at=now - 280)) == (200, "BOOKED")


async def test_any_of_several_signatures_by_any_of_several_secrets_is_enough(client, one):
    for secrets in ([OTHER], ["whsec_gone", SECRET], [SECRET, OTHER]):
        body = orjson.dumps(intent(one, 100))
        assert await deliver(client, None, body=body, header=signature(body, *secrets)) == (200, "BOOKED")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"nonsense", b'{"id":"e","type":"payment_intent.succeeded","created":1,"data":{"object":{}}}',
    b'{"id":"e","type":"payment_intent.succeeded","created":1e999,"data":{"object":{}}}',
    b'{"id":5,"type":"payment_intent.succeeded","created":1,"data":{"object":{"id":"p","amount_received":"7","currency":"eur"}}}'],
)  # fmt: skip
async def test_what_is_signed_and_no_event_is_a_400(client, writable, body):
    before = await moved(writable)
    assert await deliver(client, None, body=body) == (400, "EVENT_NOT_VALID")
    assert await moved(writable) == before


async def test_an_event_of_another_type_is_ignored(client, writable):
    before = await moved(writable)
    assert await deliver(client, {"id": "evt_x", "type": "customer.created", "created": 1773820000, "data": {"object": {}}}) == (
        200,
        "IGNORED",
    )
    assert await moved(writable) == before


async def test_a_body_beyond_the_limit_is_not_read(client):
    assert await deliver(client, None, body=b"x" * 300_000) == (413, "BODY_TOO_LARGE")
    assert (await client.http.get("/webhooks/stripe")).status_code == 405


async def test_without_a_secret_the_gateway_is_told_to_come_again(writable, one):
    async with serving(writable.url) as client:
        assert await deliver(client, intent(one, 100)) == (503, "GATEWAY_NOT_SET_UP")
    assert await money(writable, one) == ("PENDING", 100)


@pytest.mark.parametrize(
    ("units", "currency", "named", "code"),
    [(10001, "eur", "{}", "OVERPAID"), (100, "usd", "{}", "WRONG_CURRENCY"), (100, "eur", "chg_" + "0" * 32, "NOT_FOUND"),
    (100, "eur", None, "NOT_READABLE"), (100, "eur", "{}:x", "NOT_READABLE"), (100, "eur", "stu_" + "0" * 32, "NOT_READABLE"),
    (100, "eur", "{}:NaN", "NOT_READABLE"), (100, "eur", "{}:-1", "INVALID"), (100, "eur", "{}:0.5", "ALLOCATION_MISMATCH")],
)  # fmt: skip
async def test_what_cannot_be_booked_is_kept_and_not_sent_again(client, writable, one, units, currency, named, code):
    event = intent(named and named.format(one), units, currency=currency)
    before = await moved(writable)
    assert await deliver(client, event) == (200, "FAILED")
    row = await kept(writable, event)
    assert (row["state"], code in row["problem"]) == ("FAILED", True), row["problem"]
    assert (await moved(writable))[:2] == before[:2]
    assert await money(writable, one) == ("PENDING", 100)
    assert await deliver(client, event) == (200, "KNOWN")


async def test_what_failed_is_tried_again_when_the_cause_is_gone(client, writable, one):
    event = intent(one, 15000)
    await deliver(client, event)
    row = await kept(writable, event)
    again = await settle(writable, "retryGatewayEvent", row["id"])
    assert (again["gatewayEvent"]["state"], again["gatewayEvent"]["amount"]) == ("FAILED", "150.00")
    await writable.database.execute("UPDATE gateway_events SET facts = jsonb_set(facts, '{amount}', '\"50.00\"') WHERE id = $1", row["id"])
    hold = "SELECT FROM payments WHERE id = $1::uuid FOR UPDATE"
    answers = await all_at_once(writable, hold, one[4:], requests=[settle(writable, "retryGatewayEvent", row["id"]) for _ in range(4)])
    assert sorted(str(each["userErrors"]) for each in answers) == ["[]", *[str([{"field": "id", "code": "SETTLED"}])] * 3]
    assert await money(writable, one) == ("PARTIAL", 50)
    bursar = await writable.value("SELECT id FROM users WHERE email = $1", BURSAR)
    assert await writable.value("SELECT processed_by FROM payment_transactions WHERE payment_id = $1", one[4:]) == bursar


async def test_what_failed_is_laid_aside_with_a_reason(client, writable, one):
    event = intent(one, 15000)
    await deliver(client, event)
    row = await kept(writable, event)
    assert (await settle(writable, "dismissGatewayEvent", row["id"], reason=""))["userErrors"] == [{"field": "reason", "code": "REQUIRED"}]
    done = await settle(writable, "dismissGatewayEvent", row["id"], reason="Entered by hand")
    assert (done["gatewayEvent"]["state"], done["gatewayEvent"]["problem"]) == ("DISMISSED", "Entered by hand")
    assert (await settle(writable, "retryGatewayEvent", row["id"]))["userErrors"] == [{"field": "id", "code": "SETTLED"}]
    assert await money(writable, one) == ("PENDING", 100)


@pytest.mark.parametrize("role", ["admin", "bursar", "teacher", "student", "guardian", None])
async def test_administrators_and_bursars_list_what_gateways_told(writable, role):
    answer = await writable.ask(LIST, f"{role}@demo.school" if role else None)
    if role in {"admin", "bursar"}:
        assert answer.data["gatewayEvents"]["totalCount"] == await writable.value("SELECT count(*) FROM gateway_events")
        assert answer.statements == 2, "whoever sees them sees them all: nobody's reach is read"
    else:
        assert answer.data["gatewayEvents"] is None
        assert answer.codes == ["FORBIDDEN" if role else "UNAUTHENTICATED"]


async def test_the_books_add_up_after_all_this(writable):
    from db.books import check_books

    async with writable.database.acquire() as connection:
        assert [each.check.name for each in await check_books(connection) if each.broken] == []
    assert await act(writable, "waiveCharge", id="chg_" + "0" * 32, reason="x"), "and the bursar goes on"
