"""Tests account statements: they contain every charge and every movement, and a running balance that always adds up."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.schema.writing.charge_builder import act, charge, entry, make_family, pay

STATEMENT = """query ($id: ID!, $from: Date, $to: Date) { student(id: $id) { balances { currency balance } statements(fromDate: $from, toDate: $to) {
  currency openingBalance closingBalance entries { occurredAt kind amount balance description charge { id } transaction { id } } } } }"""


async def statement(school, student, viewer="bursar@demo.school", **period):
    return (await school.data(STATEMENT, viewer, id=student, **period))["student"]


async def test_every_charge_and_movement_is_a_line_with_what_is_owed_after_it(writable):
    family = await make_family(writable)
    one = await charge(writable, family, description="Trip")
    await pay(writable, (one, "40"), note="Check 17")
    await act(writable, "refundPayment", id=await entry(writable, one), amount="15.5", reason="Left")
    await act(writable, "waiveCharge", id=one, amount="10", reason="Hardship")
    await act(writable, "correctPayment", id=await entry(writable, one, "WAIVER"), reason="Typo")
    gone = await charge(writable, family, amount="30")
    await act(writable, "waiveCharge", id=gone, amount="5", reason="Hardship")
    await act(writable, "cancelCharge", id=gone, reason="Wrong")
    [account] = (await statement(writable, family.students[0]))["statements"]
    lines = [
        (line["kind"], line["amount"], line["charge"]["id"], line["description"])
        for line in account["entries"]
        if line["charge"]["id"] == one
    ]
    assert lines == [
        ("CHARGE", "100.00", one, "Trip"), ("PAYMENT", "-40.00", one, "Check 17"), ("REFUND", "15.50", one, "Left"),
        ("WAIVER", "-10.00", one, "Hardship"), ("CORRECTION", "10.00", one, "Typo"),
    ]  # fmt: skip
    assert [(line["kind"], line["amount"]) for line in account["entries"] if line["charge"]["id"] == gone] == [
        ("CHARGE", "30.00"), ("WAIVER", "-5.00"), ("CANCELLATION", "-25.00"),
    ]  # fmt: skip
    assert (account["openingBalance"], account["closingBalance"]) == ("0.00", "75.50")


async def test_a_statement_of_the_demo_school_adds_up_to_the_balance_over_any_period(writable):
    students = [f"stu_{row['id'].hex}" for row in await writable.database.fetch("SELECT id FROM students ORDER BY id LIMIT 40")]
    for student in students:
        whole = await statement(writable, student)
        assert {each["currency"]: each["closingBalance"] for each in whole["statements"]} == {
            each["currency"]: each["balance"] for each in whole["balances"]
        }
        for account in whole["statements"]:
            add_up(account)
        early, late = [
            (await statement(writable, student, **part))["statements"] for part in ({"to": "2025-11-30"}, {"from": "2025-12-01"})
        ]
        closing = {each["currency"]: each["closingBalance"] for each in early}
        for account in late:
            add_up(account)
            assert account["openingBalance"] == closing.get(account["currency"], "0.00")
            assert account["closingBalance"] == next(
                each["closingBalance"] for each in whole["statements"] if each["currency"] == account["currency"]
            )
            count = len(account["entries"]) + sum(len(each["entries"]) for each in early if each["currency"] == account["currency"])
            assert count == sum(len(each["entries"]) for each in whole["statements"] if each["currency"] == account["currency"])


def add_up(account):
    balance = Decimal(account["openingBalance"])
    for line in account["entries"]:
        balance += Decimal(line["amount"])
        assert Decimal(line["balance"]) == balance
    assert Decimal(account["closingBalance"]) == balance


async def test_a_period_ends_at_the_schools_midnight(writable):
    family = await make_family(writable)
    one = await charge(writable, family)
    # The school is in Berlin: 23:30 on the 10th there is 22:30 in UTC, 00:30 on the 11th is still the 10th in UTC.
    await pay(writable, (one, "10"), occurredAt="2026-03-10T22:30:00Z")
    await pay(writable, (one, "20"), occurredAt="2026-03-10T23:30:00Z")
    [tenth] = (await statement(writable, family.students[0], **{"from": "2026-03-10", "to": "2026-03-10"}))["statements"]
    [eleventh] = (await statement(writable, family.students[0], **{"from": "2026-03-11", "to": "2026-03-11"}))["statements"]
    assert [line["amount"] for line in tenth["entries"]] == ["-10.00"]
    assert [line["amount"] for line in eleventh["entries"]] == ["-20.00"]


async def test_a_period_the_wrong_way_round_is_refused(writable):
    student = await writable.id("stu", "SELECT id FROM students LIMIT 1")
    answer = await writable.ask(STATEMENT, id=student, **{"from": "2026-03-11", "to": "2026-03-10"})
    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_period_with_too_many_entries_is_refused_for_that_student_alone(writable):
    family = await make_family(writable)
    await charge(writable, family, 1)
    one = await charge(writable, family)
    await writable.database.execute(
        "INSERT INTO payment_transactions (payment_id, kind, amount, currency, reason, occurred_at)"
        " SELECT $1, 'WAIVER', 0.01, 'EUR', 'x', school_now() FROM generate_series(1, 1000)", one[4:],
    )  # fmt: skip
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Student { statements { entries { kind } } } } }"
    answer = await writable.ask(query, ids=family.students)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["path"][:2] == ["nodes", 0]


async def test_the_statements_of_many_students_cost_one_statement(demo):
    answer = await demo.ask("{ students(first: 20) { nodes { statements { closingBalance entries { kind amount } } } } }")
    assert not answer.errors
    assert answer.statements == 2


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["charge", "pay", "refund", "waive", "correct", "cancel"]), st.integers(0, 5), st.integers(1, 12_000)),
    max_size=14,
)


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
async def test_the_statement_adds_up_to_the_balance_after_any_operations(writable, currency):
    """Runs random operations, some of which are refused, and compares statement, balance and status with the ledger after each round."""
    import asyncio

    from rules.money import Totals, balance, exponent, status

    loop = asyncio.get_running_loop()
    unit = Decimal(1).scaleb(-exponent(currency))

    async def play(operations):
        family = await make_family(writable, 1, currency=currency, amount="100")
        charges = []
        for name, which, units in operations:
            amount = str(units * unit)
            if name == "charge" or not charges:
                charges.append(await charge(writable, family, amount=amount, description=None))
                continue
            one = charges[which % len(charges)]
            kinds = ["PAYMENT", "REFUND", "WAIVER"]
            if name == "pay":
                await pay(writable, *((each, None) for each in charges), amount=amount, currency=currency)
            elif name == "waive":
                await act(writable, "waiveCharge", id=one, amount=amount, reason="x")
            elif name == "cancel":
                await act(writable, "cancelCharge", id=one, reason="x")
            else:
                sql = "SELECT id FROM payment_transactions WHERE payment_id = $1 AND kind = ANY($2) ORDER BY id OFFSET $3 LIMIT 1"
                found = await writable.value(sql, one[4:], ["PAYMENT"] if name == "refund" else kinds, which % 3)
                if found is None:
                    continue
                given = {"id": f"txn_{found.hex}", "reason": "x"}
                if name == "refund":
                    await act(writable, "refundPayment", **given, **({"amount": amount} if which % 2 else {}))
                else:
                    await act(writable, "correctPayment", **given, **({"replacement": {"amount": amount}} if which % 2 else {}))
        seen = await statement(writable, family.students[0])
        for account in seen["statements"]:
            add_up(account)
        assert {each["currency"]: each["closingBalance"] for each in seen["statements"]} == {
            each["currency"]: each["balance"] for each in seen["balances"]
        }
        for row in await writable.database.fetch("SELECT * FROM payments WHERE student_id = $1", family.students[0][4:]):
            totals = Totals(row["amount"], row["paid_total"], row["refunded_total"], row["waived_total"], row["cancelled_at"] is not None)
            assert (row["status"], row["balance"]) == (status(totals), balance(totals))

    @settings(max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(OPERATIONS)
    def run(operations):
        asyncio.run_coroutine_threadsafe(play(operations), loop).result(120)

    await asyncio.to_thread(run)
