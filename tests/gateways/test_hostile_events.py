"""Tests signed events with values that no gateway should send: they are refused or kept for review, and never make the server fail."""

import orjson
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateways.stripe_events import SECRET, checkout, deliver, intent, refunded, signature
from tests.in_process_server import serving
from tests.schema.writing.charge_builder import charge, make_family, money

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
    | st.sampled_from(["x" * 10_000, "a\0b", "eur", "1e999999999", 2**63, -1, 0, 10**15, 253402300800, "pi_\u202e"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "object", "rollcall_charges"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
PLACES = [("id",), ("type",), ("created",), ("data",), ("data", "object"), *(
    ("data", "object", each) for each in ("id", "amount_received", "amount_total", "amount_refunded", "currency", "metadata", "payment_intent", "payment_status")
), ("data", "object", "metadata", "rollcall_charges")]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(writable):
    async with serving(writable.url, stripe_webhook_secrets=(SECRET,)) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bill(writable):
    return await charge(writable, await make_family(writable))


def put(event, place, value):
    inner = event
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_value_in_an_event_is_a_failure_of_the_server(client, bill, data):
    make = data.draw(st.sampled_from([lambda: intent(bill, 100), lambda: checkout(bill, 100, "pi_1"), lambda: refunded("pi_1", 100)]))
    event = make()
    put(event, ("data", "object", "metadata"), event["data"]["object"].get("metadata", {}))
    put(event, data.draw(st.sampled_from(PLACES)), data.draw(ANYTHING))
    status, said = await deliver(client, event)
    assert (status, said) == (400, "EVENT_NOT_VALID") or (status == 200 and said in ("BOOKED", "FAILED", "IGNORED", "KNOWN", "REPEATED"))


@pytest.mark.parametrize("part", ["1e999999999", "-1e999999999", "1E-999999999", "NaN", "Infinity", "1_0", "9" * 5000, "١"])
async def test_a_part_that_is_no_plain_number_is_kept_for_a_person_to_see(client, writable, bill, part):
    before = await money(writable, bill)
    assert await deliver(client, intent(f"{bill}:{part}", 100)) == (200, "FAILED")
    assert await money(writable, bill) == before


@pytest.mark.parametrize("units", [2**64 - 1, 10**15])
async def test_an_amount_beyond_the_books_is_kept_for_a_person_to_see(client, writable, bill, units):
    event = intent(bill, units)
    assert await deliver(client, event) == (200, "FAILED")
    listed = await writable.data("{ gatewayEvents(first: 1) { nodes { eventId amount } } }")
    assert listed["gatewayEvents"]["nodes"][0]["eventId"] == event["id"]


@pytest.mark.parametrize("number", [b"18446744073709551616", b"1e400", b"1" * 5000, b"1.5", b"true", b"-1", b"0", b"null", b'"100"'])
async def test_an_amount_that_is_no_count_of_units_is_no_event(client, bill, number):
    body = orjson.dumps(intent(bill, 424242)).replace(b"424242", number)
    assert await deliver(client, None, body=body, header=signature(body)) == (400, "EVENT_NOT_VALID")


@pytest.mark.parametrize("created", [-1, 2**63, 253402300800, 1.5, "1773820000", None, True])
async def test_a_time_out_of_range_is_no_event(client, bill, created):
    assert await deliver(client, {**intent(bill, 100), "created": created}) == (400, "EVENT_NOT_VALID")


@pytest.mark.parametrize("identifier", ["", "x" * 256, "a\0b", "a b", "pi_\u202e", 7, None])
async def test_an_id_that_no_gateway_gives_is_no_event(client, bill, identifier):
    assert await deliver(client, {**intent(bill, 100), "id": identifier}) == (400, "EVENT_NOT_VALID")
    event = intent(bill, 100)
    event["data"]["object"]["id"] = identifier
    assert await deliver(client, event) == (400, "EVENT_NOT_VALID")
