"""Tests payments, refunds, waivers and corrections, with one test for each rule."""

from uuid import uuid4

import pytest

from tests.schema.writing.charge_builder import BURSAR, act, books, charge, entry, make_family, money, pay
from tests.schema.writing.class_builder import codes
from tests.writable_school import NOW, writable_school

NONE = "0" * 32


async def test_what_is_owed_and_what_moved_are_separate_and_the_rest_is_derived(writable, one):
    answer = await pay(writable, (one, "40"))
    assert codes(answer) == []
    assert [(each["status"], each["paidTotal"], each["balance"]) for each in answer["charges"]] == [("PARTIAL", "40.00", "60.00")]
    ledger = await writable.database.fetch("SELECT kind, amount FROM payment_transactions WHERE payment_id = $1", one[4:])
    assert [tuple(each) for each in ledger] == [("PAYMENT", 40)]


async def test_one_payment_pays_charges_of_siblings_with_one_receipt(writable, family, one):
    two = await charge(writable, family, 1, amount="50")
    answer = await pay(writable, (one, "100"), (two, "20.50"))
    assert codes(answer) == []
    assert (answer["receipt"]["amount"], answer["receipt"]["currency"]) == ("120.50", "EUR")
    paid = {each["charge"]["id"]: each["amount"] for each in answer["receipt"]["transactions"]["nodes"]}
    assert paid == {one: "100.00", two: "20.50"}
    assert (await money(writable, one), await money(writable, two)) == (("PAID", 0), ("PARTIAL", 29.5))


async def test_allocations_add_up_to_the_payment(writable, family, one):
    two = await charge(writable, family, 1)
    before = await books(writable)
    for amount in ("99.99", "100.01"):
        assert codes(await pay(writable, (one, "60"), (two, "40"), amount=amount)) == [("amount", "ALLOCATION_MISMATCH")]
    assert await books(writable) == before


async def test_parts_that_are_not_given_are_filled_earliest_due_first(writable, family):
    late = await charge(writable, family, 0, due="2026-05-01")
    early = await charge(writable, family, 1, due="2026-04-01")
    given = await charge(writable, family, 1, due="2026-06-01")
    answer = await pay(writable, (late, None), (early, None), (given, "10"), amount="150")
    assert codes(answer) == []
    assert [await money(writable, each) for each in (late, early, given)] == [("PARTIAL", 60), ("PAID", 0), ("PARTIAL", 90)]
    before = await books(writable)
    assert codes(await pay(writable, (late, None), (given, None), amount="150.01")) == [("amount", "OVERPAID")]
    assert await books(writable) == before


async def test_overpayment_is_refused(writable, one):
    before = await books(writable)
    assert codes(await pay(writable, (one, "100.01"))) == [("allocations.0.amount", "OVERPAID")]
    assert await books(writable) == before


async def test_no_allocation_across_currencies(writable, family, one):
    other = await make_family(writable, 1, currency="USD")
    dollars = await charge(writable, other)
    before = await books(writable)
    assert codes(await pay(writable, (one, "10"), currency="USD")) == [("allocations.0.chargeId", "WRONG_CURRENCY")]
    assert ("allocations.1.chargeId", "WRONG_CURRENCY") in codes(await pay(writable, (one, "10"), (dollars, "10")))
    assert await books(writable) == before


async def test_children_who_share_no_guardian_are_not_paid_for_at_once(writable, one):
    other = await make_family(writable, 1)
    stranger = await charge(writable, other)
    before = await books(writable)
    assert codes(await pay(writable, (one, "10"), (stranger, "10"))) == [("allocations", "NO_COMMON_GUARDIAN")]
    assert await books(writable) == before


async def test_a_cancelled_charge_is_not_paid(writable, one):
    await act(writable, "cancelCharge", id=one, reason="Wrong")
    before = await books(writable)
    assert codes(await pay(writable, (one, "10"))) == [("allocations.0.chargeId", "CANCELLED")]
    assert codes(await act(writable, "waiveCharge", id=one, reason="Hardship")) == [("id", "CANCELLED")]
    assert await books(writable) == before


async def test_everything_that_is_wrong_with_a_payment_is_told_at_once(writable, family, one):
    other = await make_family(writable, 1)
    stranger, gone = await charge(writable, other), await charge(writable, family, 1)
    await act(writable, "cancelCharge", id=gone, reason="Wrong")
    answer = await pay(
        writable, (one, "100.01"), (stranger, "1"), (gone, "0.001"), (f"chg_{NONE}", "1"), (stranger, "1"), ("stu_1", "1"), amount="7",
        occurredAt="2026-03-19T00:00:00+01:00", note="x" * 301,
    )  # fmt: skip
    assert codes(answer) == [("allocations.5.chargeId", "INVALID_ID")]
    answer = await pay(
        writable, (one, "100.01"), (stranger, "1"), (gone, "0.001"), (f"chg_{NONE}", "1"), (stranger, "1"), amount="-7",
        occurredAt="2026-03-19T00:00:00+01:00", note="x" * 301,
    )  # fmt: skip
    assert set(codes(answer)) == {
        ("allocations.0.amount", "OVERPAID"), ("allocations.1.chargeId", "TWICE"), ("allocations.4.chargeId", "TWICE"),
        ("allocations.2.amount", "INVALID"), ("allocations.2.chargeId", "CANCELLED"), ("allocations.3.chargeId", "NOT_FOUND"),
        ("allocations", "NO_COMMON_GUARDIAN"), ("amount", "INVALID"), ("occurredAt", "IN_FUTURE"), ("note", "INVALID"),
    }  # fmt: skip
    assert codes(await pay(writable, amount="1")) == [("allocations", "REQUIRED")]
    with pytest.raises(AssertionError, match="Not a decimal number"):  # an error of the whole request: it is no amount
        await pay(writable, (one, "NaN"), amount="NaN")


async def test_a_refund_is_never_more_than_its_payment(writable, one):
    await pay(writable, (one, "40"))
    first = await entry(writable, one)
    await pay(writable, (one, "60"))
    answer = await act(writable, "refundPayment", id=first, amount="30", reason="Left")
    assert (answer["charge"]["status"], answer["charge"]["balance"]) == ("PARTIAL", "30.00")
    assert answer["transaction"]["originalTransaction"]["id"] == first
    before = await books(writable)
    assert codes(await act(writable, "refundPayment", id=first, amount="10.01", reason="x")) == [("amount", "REFUND_TOO_LARGE")]
    assert await books(writable) == before
    assert codes(await act(writable, "refundPayment", id=first, reason="The rest")) == []
    assert codes(await act(writable, "refundPayment", id=first, reason="x")) == [("id", "REFUND_TOO_LARGE")]
    assert await money(writable, one) == ("PARTIAL", 40)


async def test_a_refunded_charge_can_be_paid_again(writable, one):
    await pay(writable, (one, "100"))
    await act(writable, "refundPayment", id=await entry(writable, one), reason="Left")
    assert await money(writable, one) == ("REFUNDED", 100)
    assert codes(await pay(writable, (one, "100"))) == []
    assert await money(writable, one) == ("PAID", 0)


async def test_only_a_payment_that_stands_is_paid_back_with_a_reason(writable, one):
    await pay(writable, (one, "40"))
    paid = await entry(writable, one)
    await act(writable, "waiveCharge", id=one, amount="10", reason="Hardship")
    waiver = await entry(writable, one, "WAIVER")
    assert codes(await act(writable, "refundPayment", id=waiver, reason="")) == [
        ("reason", "REQUIRED"),
        ("id", "NOT_A_PAYMENT"),
    ]
    wrong = await act(writable, "refundPayment", id=paid, reason="x" * 301, amount="0.001", occurredAt="2027-01-01T00:00:00Z")
    assert codes(wrong) == [("reason", "INVALID"), ("occurredAt", "IN_FUTURE"), ("amount", "INVALID")]
    await act(writable, "correctPayment", id=paid, reason="Another family's")
    assert codes(await act(writable, "refundPayment", id=paid, reason="x")) == [("id", "CORRECTED")]
    assert codes(await act(writable, "refundPayment", id=f"txn_{NONE}", reason="x")) == [("id", "NOT_FOUND")]


async def test_what_is_owed_is_let_off_and_no_more(writable, one):
    await pay(writable, (one, "40"))
    assert codes(await act(writable, "waiveCharge", id=one, amount="60.01", reason="Hardship")) == [("amount", "WAIVER_TOO_LARGE")]
    answer = await act(writable, "waiveCharge", id=one, amount="10", reason="Hardship")
    assert (answer["charge"]["status"], answer["charge"]["balance"], answer["charge"]["waivedTotal"]) == ("PARTIAL", "50.00", "10.00")
    answer = await act(writable, "waiveCharge", id=one, reason="Hardship")
    assert (answer["charge"]["status"], answer["charge"]["balance"]) == ("PAID", "0.00")
    assert codes(await act(writable, "waiveCharge", id=one, reason="")) == [("reason", "REQUIRED"), ("id", "NOTHING_OWED")]
    assert codes(await act(writable, "waiveCharge", id=f"chg_{NONE}", reason="x")) == [("id", "NOT_FOUND")]


async def test_a_charge_of_which_all_is_let_off_is_waived(writable, one):
    assert (await act(writable, "waiveCharge", id=one, reason="Hardship"))["charge"]["status"] == "WAIVED"


async def test_a_mistake_is_a_linked_contra_entry(writable, one):
    await pay(writable, (one, "40"))
    wrong = await entry(writable, one)
    answer = await act(writable, "correctPayment", id=wrong, reason="Typed twice")
    assert answer["correction"] == answer["correction"] | {
        "kind": "CORRECTION",
        "correctedKind": "PAYMENT",
        "amount": "40.00",
        "originalTransaction": {"id": wrong},
    }
    assert (answer["charge"]["status"], answer["charge"]["balance"], answer["transaction"]) == ("PENDING", "100.00", None)
    before = await books(writable)
    assert codes(await act(writable, "correctPayment", id=wrong, reason="")) == [
        ("reason", "REQUIRED"),
        ("id", "CORRECTED"),
    ]
    again = await act(writable, "correctPayment", id=answer["correction"]["id"], reason="x")
    assert codes(again) == [("id", "NOT_CORRECTABLE")]
    assert await books(writable) == before
    ledger = await writable.value("SELECT count(*) FROM payment_transactions WHERE payment_id = $1", one[4:])
    assert ledger == 2, "the wrong entry is still there"


async def test_what_is_right_is_entered_with_the_correction_and_has_its_own_receipt(writable, one):
    first = await pay(writable, (one, "40"))
    answer = await act(
        writable, "correctPayment", id=await entry(writable, one), reason="Typo", replacement={"amount": "50", "method": "CARD"}
    )
    assert codes(answer) == []
    assert (answer["transaction"]["kind"], answer["transaction"]["amount"]) == ("PAYMENT", "50.00")
    assert answer["receipt"]["number"] == first["receipt"]["number"] + 1
    assert (answer["charge"]["paidTotal"], answer["charge"]["balance"]) == ("50.00", "50.00")
    method = await writable.value("SELECT method FROM payment_transactions WHERE id = $1", answer["transaction"]["id"][4:])
    assert method == "CARD"


async def test_a_payment_on_the_wrong_charge_is_moved_in_one_transaction(writable, one):
    other = await make_family(writable, 1)
    right = await charge(writable, other, amount="30")
    await pay(writable, (one, "40"))
    wrong, before = await entry(writable, one), await books(writable)
    moved = {"id": wrong, "reason": "Another child's"}
    assert codes(await act(writable, "correctPayment", **moved, replacement={"chargeId": right, "amount": "40"})) == [
        ("replacement.amount", "OVERPAID")
    ]
    dollars = await charge(writable, await make_family(writable, 1, currency="USD"))
    before = await books(writable)
    assert ("replacement.chargeId", "WRONG_CURRENCY") in codes(
        await act(writable, "correctPayment", **moved, replacement={"chargeId": dollars, "amount": "40"})
    )
    assert codes(await act(writable, "correctPayment", **moved, replacement={"chargeId": f"chg_{NONE}", "amount": "40"})) == [
        ("replacement.chargeId", "NOT_FOUND")
    ]
    assert await books(writable) == before
    assert codes(await act(writable, "correctPayment", **moved, replacement={"chargeId": right, "amount": "30"})) == []
    assert (await money(writable, one), await money(writable, right)) == (("PENDING", 100), ("PAID", 0))


async def test_a_refund_and_a_waiver_are_corrected_too(writable, one):
    await pay(writable, (one, "40"))
    paid = await entry(writable, one)
    await act(writable, "refundPayment", id=paid, amount="30", reason="Left")
    refund = await entry(writable, one, "REFUND")
    assert codes(await act(writable, "correctPayment", id=paid, reason="x")) == [("id", "HAS_REFUNDS")]
    too_much = await act(writable, "correctPayment", id=refund, reason="x", replacement={"amount": "40.01"})
    assert codes(too_much) == [("replacement.amount", "REFUND_TOO_LARGE")]
    assert codes(await act(writable, "correctPayment", id=refund, reason="Typo", replacement={"amount": "20"})) == []
    assert await money(writable, one) == ("PARTIAL", 80)
    await act(writable, "waiveCharge", id=one, amount="80", reason="Hardship")
    waiver = await entry(writable, one, "WAIVER")
    too_much = await act(writable, "correctPayment", id=waiver, reason="x", replacement={"amount": "80.01", "method": "CASH"})
    assert codes(too_much) == [("replacement.method", "NOT_ALLOWED"), ("replacement.amount", "WAIVER_TOO_LARGE")]
    assert codes(await act(writable, "correctPayment", id=waiver, reason="Typo", replacement={"amount": "8"})) == []
    assert await money(writable, one) == ("PARTIAL", 72)


async def test_a_refund_is_not_taken_back_when_the_charge_was_paid_again(writable, one):
    await pay(writable, (one, "100"))
    await act(writable, "refundPayment", id=await entry(writable, one), reason="Left")
    refund = await entry(writable, one, "REFUND")
    await pay(writable, (one, "70"))
    before = await books(writable)
    assert codes(await act(writable, "correctPayment", id=refund, reason="x")) == [("id", "OVERPAID")]
    replaced = await act(writable, "correctPayment", id=refund, reason="x", replacement={"amount": "80"})
    assert codes(replaced) == [("id", "OVERPAID")]
    assert await books(writable) == before
    await act(writable, "correctPayment", id=await entry(writable, one), reason="Not paid after all")
    assert codes(await act(writable, "correctPayment", id=refund, reason="x", replacement={"amount": "80"})) == []
    assert await money(writable, one) == ("PARTIAL", 80)


async def test_a_payment_of_last_week_leaves_the_latest_movement_the_latest(writable, one):
    await pay(writable, (one, "10"), method="CARD")
    latest = await entry(writable, one)
    answer = await pay(writable, (one, "10"), occurredAt="2026-03-11T09:00:00+01:00")
    assert codes(answer) == []
    row = await writable.database.fetchrow("SELECT transaction_id, method, payment_date FROM payments WHERE id = $1", one[4:])
    assert (f"txn_{row['transaction_id'].hex}", row["method"], row["payment_date"].isoformat()) == (
        latest,
        "CARD",
        "2026-03-18T09:15:00+00:00",
    )
    with pytest.raises(AssertionError, match="needs its offset from UTC"):  # an error of the whole request: no moment can be read from it
        await pay(writable, (one, "10"), occurredAt="2026-03-11T09:00:00")


async def test_receipt_numbers_are_counted_in_the_academic_year_of_the_day(writable, one):
    year = await writable.database.fetchrow(
        "SELECT id, start_date, end_date FROM academic_years WHERE '2026-03-18' BETWEEN start_date AND end_date"
    )
    before = await writable.value("SELECT last_number FROM receipt_counters WHERE academic_year_id = $1", year["id"])
    answer = await pay(writable, (one, "10"))
    assert answer["receipt"]["number"] == before + 1
    assert await writable.value("SELECT academic_year_id FROM receipts WHERE id = $1", answer["receipt"]["id"][4:]) == year["id"]


async def test_a_refused_payment_leaves_no_gap_in_the_receipt_numbers(writable, one):
    first = await pay(writable, (one, "10"))
    await pay(writable, (one, "1000"))
    await pay(writable, (one, "10"), amount="11")
    second = await pay(writable, (one, "10"))
    assert second["receipt"]["number"] == first["receipt"]["number"] + 1


async def test_a_receipt_of_two_siblings_shows_a_guardian_of_one_only_that_part(writable, family, one):
    two = await charge(writable, family, 1, amount="50")
    receipt = (await pay(writable, (one, "100"), (two, "20.50")))["receipt"]
    part = await _guardian_of(writable, family.students[1])
    query = (
        "query ($id: ID!) { node(id: $id) { ... on Receipt { number amount transactions { totalCount nodes { amount charge { id } } } } } }"
    )
    seen = (await writable.data(query, part, id=receipt["id"]))["node"]
    assert seen == {
        "number": receipt["number"], "amount": "20.50", "transactions": {"totalCount": 1, "nodes": [{"amount": "20.50", "charge": {"id": two}}]},
    }  # fmt: skip
    stranger = await _guardian_of(writable, (await make_family(writable, 1)).students[0])
    assert (await writable.data(query, stranger, id=receipt["id"]))["node"] is None
    assert (await writable.data(query, BURSAR, id=receipt["id"]))["node"]["amount"] == "120.50"


async def _guardian_of(school, student):
    """Creates a guardian of only this student, signed in."""
    from tests.schema.writing.charge_builder import run

    email = f"{uuid4().hex[:10]}@demo.school"
    guardian = (await run(school, "createGuardian", "guardian { id }", firstName="P", lastName="Test", email=email))["guardian"]["id"]
    await run(school, "linkGuardian", "guardian { id }", guardianId=guardian, studentId=student, relationship="FATHER")
    return email


async def test_without_an_academic_year_there_is_nothing_to_number_receipts_in(databases):
    async with writable_school(databases, NOW, "empty") as school:
        await school.database.execute("INSERT INTO users (role, first_name, last_name, email) VALUES ('BURSAR', 'A', 'B', $1)", BURSAR)
        assert codes(await pay(school, (f"chg_{'0' * 32}", "1"))) == [("allocations.0.chargeId", "NOT_FOUND"), (None, "NO_YEAR")]
