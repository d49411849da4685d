"""Builds families, charges and payments in the demo school, through the bursar's mutations."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from tests.graphql_school import School
from tests.schema.writing.class_builder import codes, make_classroom

__all__ = ["BURSAR", "Family", "act", "books", "charge", "entry", "make_bursars", "make_family", "money", "pay"]

BURSAR = "bursar@demo.school"
CHARGE = "id amount status balance paidTotal refundedTotal waivedTotal isOverdue version"
FIELDS = {
    "createCharges": f"chargeCount total currency charges {{ {CHARGE} student {{ id }} }}",
    "recordPayment": f"receipt {{ id number amount currency transactions {{ nodes {{ id amount kind charge {{ id }} }} }} }} charges {{ {CHARGE} }}",
    "refundPayment": f"transaction {{ id kind amount originalTransaction {{ id }} }} charge {{ {CHARGE} }}",
    "waiveCharge": f"transaction {{ id kind amount }} charge {{ {CHARGE} }}",
    "cancelCharge": f"charge {{ {CHARGE} cancelReason }}",
    "updateCharge": f"charge {{ {CHARGE} dueDate description }}",
    "correctPayment": f"correction {{ id kind correctedKind amount originalTransaction {{ id }} }} transaction {{ id kind amount }} receipt {{ number }} charge {{ {CHARGE} }}",
}
PREVIEW = """query ($input: PreviewChargesInput!) { previewCharges(input: $input) {
  hash chargeCount errorCount total currency academicYear { name } userErrors { field code message }
  rows { amount error warnings student { id } repeats { id } } } }"""


@dataclass
class Family:
    """Siblings with one guardian in the demo school, and a fee category of their own."""

    students: list[str]
    guardian: str
    category: str
    room: str


async def make_family(school: School, size: int = 2, *, currency: str = "EUR", amount: str = "100") -> Family:
    room = await make_classroom(school, size)
    made = await run(school, "createGuardian", "guardian { id }", firstName="G", lastName="Test")
    guardian = made["guardian"]["id"]
    for student in room.students:
        await run(school, "linkGuardian", "guardian { id }", guardianId=guardian, studentId=student, relationship="MOTHER")
    name = uuid4().hex[:8].upper()
    made = await run(school, "createFeeCategory", "feeCategory { id }", code=name, name=name, currency=currency, defaultAmount=amount)
    return Family(room.students, guardian, made["feeCategory"]["id"], room.id)


async def make_bursars(school: School, count: int) -> list[str]:
    """Creates `count` bursars, each signed in, and returns their e-mail addresses."""
    emails = [f"{uuid4().hex}@demo.school" for _ in range(count)]
    await school.database.execute(
        "INSERT INTO users (role, first_name, last_name, email) SELECT 'BURSAR', 'Extra', 'Bursar', e FROM unnest($1::text[]) AS e", emails
    )
    for email in emails:
        await school.viewer(email)
    return emails


async def run(school, name, fields, /, **given):
    kind = f"{name[0].upper()}{name[1:]}Input"
    data = await school.data(
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {fields} userErrors {{ field code message }} }} }}", input=given
    )
    assert data[name]["userErrors"] == []
    return data[name]


async def act(school, name, /, viewer=BURSAR, key=None, **given):
    """Runs a mutation as the bursar and returns its payload."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {FIELDS[name]} userErrors {{ field code message }} }} }}"
    return (await school.data(query, viewer, input={"idempotencyKey": key or uuid4().hex, **given}))[name]


async def charge(school, family, student=0, amount="100", due="2026-04-01", **given):
    """Charges a child of a family and returns the charge's id."""
    given = {
        "feeCategoryId": family.category,
        "studentIds": [family.students[student]],
        "amount": amount,
        "dueDate": due,
        "allowAgain": True,
        **given,
    }
    preview = (await school.data(PREVIEW, BURSAR, input=given))["previewCharges"]
    made = await act(school, "createCharges", hash=preview["hash"], **given)
    assert codes(made) == []
    return made["charges"][0]["id"]


async def pay(school, *parts, amount=None, currency="EUR", **given):
    """Records a payment for (charge, amount) pairs; with an amount of None the charge gets its share of the rest."""
    allocations = [{"chargeId": each, **({} if part is None else {"amount": part})} for each, part in parts]
    total = amount or str(sum((Decimal(part) for _, part in parts), Decimal(0)))
    given = {"amount": total, "currency": currency, "method": "CASH", "allocations": allocations, **given}
    return await act(school, "recordPayment", **given)


async def entry(school, charge_id, kind="PAYMENT"):
    """Returns the latest entry of a kind on a charge."""
    sql = "SELECT id FROM payment_transactions WHERE payment_id = $1 AND kind = $2 ORDER BY id DESC LIMIT 1"
    return await school.id("txn", sql, charge_id[4:], kind)


async def money(school, charge_id):
    """Returns a charge's status and balance."""
    row = await school.database.fetchrow("SELECT status, balance FROM payments WHERE id = $1", charge_id[4:])
    return row["status"], row["balance"]


async def books(school):
    """Returns everything that a refused mutation must not change."""
    return await school.database.fetchrow(
        "SELECT (SELECT count(*) FROM payment_transactions), (SELECT count(*) FROM receipts), (SELECT sum(last_number) FROM receipt_counters),"
        " (SELECT count(*) FROM payments), (SELECT sum(version) FROM payments), (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM idempotency_keys)"
    )
