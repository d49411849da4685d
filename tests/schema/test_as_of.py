"""Tests that what was known at an earlier time can still be read after everything has changed."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from tests.schema.writing.assessment_builder import marked, open_window
from tests.schema.writing.class_builder import make_classroom

PRESENT = """query ($id: ID!) { student(id: $id) { class { id } balances { currency charged waived paid refunded balance overdue }
    finalGrades(first: 100) { nodes { number isCurrent letter rounded postedAt subject { id } semester { id } } }
    classHistory { nodes { fromDate toDate reason endReason class { id } } }
    attendance(first: 100, filter: {fromDate: "2025-09-01", toDate: "2026-07-31"}) { nodes { date status excused excuseReason minutesLate minutesPresent subject { id } } }
    attendanceSummary(fromDate: "2025-09-01", toDate: "2026-07-31") { days present absent late excusedAbsences unexcusedAbsences minutesLate dayValues rate } } }"""
PAST = """query ($id: ID!, $at: DateTime!) { student(id: $id) { asOf(at: $at) { at classMembership { class { id } } balances { currency charged waived paid refunded balance overdue }
    finalGrades { number letter rounded postedAt subject { id } semester { id } }
    classHistory { fromDate toDate reason endReason class { id } }
    attendance(fromDate: "2025-09-01", toDate: "2026-07-31") { date status excused excuseReason minutesLate minutesPresent subject { id } }
    attendanceSummary(fromDate: "2025-09-01", toDate: "2026-07-31") { days present absent late excusedAbsences unexcusedAbsences minutesLate dayValues rate } } } }"""


async def run(school, name, viewer="admin@demo.school", **given):
    kind = f"{name[0].upper()}{name[1:]}Input"
    data = await school.data(
        f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ field code }} }} }}", viewer, input=given
    )
    assert data[name]["userErrors"] == []


async def now(school) -> str:
    return (await school.value("SELECT clock_timestamp()")).isoformat()


async def present(school, student, viewer="admin@demo.school"):
    """Returns what is known now, in the form of an as-of query's result."""
    found = (await school.data(PRESENT, viewer, id=student))["student"]
    history = found["classHistory"]["nodes"][::-1]
    return {
        "classMembership": found["class"] and {"class": found["class"]},
        "classHistory": history,
        "balances": found["balances"],
        "finalGrades": _sorted(
            [{k: v for k, v in each.items() if k != "isCurrent"} for each in found["finalGrades"]["nodes"] if each["isCurrent"]]
        ),
        "attendance": sorted(found["attendance"]["nodes"], key=lambda mark: (mark["date"], str(mark["subject"]))),
        "attendanceSummary": found["attendanceSummary"],
    }


def _sorted(final_grades):
    return sorted(final_grades, key=lambda each: (each["semester"]["id"], each["subject"]["id"]))


async def past(school, student, at, viewer="admin@demo.school"):
    found = (await school.data(PAST, viewer, id=student, at=at))["student"]["asOf"]
    if found is None:
        return None
    assert datetime.fromisoformat(found.pop("at")) == datetime.fromisoformat(at)
    found["finalGrades"] = _sorted(found["finalGrades"])
    found["attendance"].sort(key=lambda mark: (mark["date"], str(mark["subject"])))
    return found


async def charge(school, student, amount):
    """Creates a charge with the statements that the mutations use."""
    return await school.value(
        """INSERT INTO payments (student_id, fee_category_id, academic_year_id, due_date, amount, currency)
           SELECT $1::uuid, f.id, y.id, '2026-03-01', $2, f.currency FROM fee_categories f, academic_years y WHERE y.is_current ORDER BY f.code LIMIT 1
           RETURNING id""",
        student[4:],
        Decimal(amount),
    )


async def move(school, payment, kind, amount, **more):
    return await school.value(
        """INSERT INTO payment_transactions (payment_id, kind, amount, currency, method, receipt_id, corrected_kind, linked_id)
           SELECT p.id, $2, $3, p.currency, 'CASH', (SELECT id FROM receipts LIMIT 1), $4, $5 FROM payments p WHERE p.id = $1 RETURNING id""",
        payment,
        kind,
        Decimal(amount),
        more.get("corrected_kind"),
        more.get("linked_id"),
    )


async def test_every_moment_of_a_students_year_is_told_again_as_it_was_known(writable):
    """Changes memberships, marks and money one after the other, records the state after each change, and then queries each of these times."""
    room, other = await make_classroom(writable, 1), await make_classroom(writable, 1)
    student, teacher = room.students[0], "teacher@demo.school"

    async def register(status, **more):
        entry = {"studentId": student, "status": status, **more}
        await run(writable, "submitRegister", teacher, classId=room.id, date="2026-03-16", entries=[entry], idempotencyKey=uuid4().hex)

    fee, paid, again = None, None, None

    async def charged():
        nonlocal fee
        fee = await charge(writable, student, "120.50")

    async def half():
        nonlocal paid
        paid = await move(writable, fee, "PAYMENT", "60")

    async def ten():
        nonlocal again
        again = await move(writable, fee, "PAYMENT", "10")

    async def post():
        await run(
            writable,
            "postFinalGrades",
            teacher,
            classId=room.id,
            semesterId=room.semester,
            subjectId=room.subject,
            idempotencyKey=uuid4().hex,
        )

    await open_window(writable, room.semester)
    changes = [
        lambda: register("PRESENT"),
        lambda: register("LATE", minutesLate=20),
        lambda: register("ABSENT"),
        charged,
        half,
        lambda: run(writable, "correctAttendance", studentId=student, date="2026-03-16", status="ABSENT", excused=True, excuseReason="Ill", idempotencyKey=uuid4().hex),
        lambda: register("PRESENT"),  # the office's word stands
        lambda: run(writable, "submitRegister", teacher, classId=room.id, date="2026-03-13", subjectId=room.subject, entries=[{"studentId": student, "status": "PARTIAL", "minutesPresent": 150}], idempotencyKey=uuid4().hex),
        lambda: move(writable, fee, "WAIVER", "20.50"),
        ten,
        lambda: move(writable, fee, "REFUND", "10", linked_id=again),
        lambda: move(writable, fee, "CORRECTION", "60", corrected_kind="PAYMENT", linked_id=paid),
        lambda: marked(writable, room, 81),
        post,
        lambda: run(writable, "reopenGrades", classId=room.id, semesterId=room.semester, until="2026-03-20T12:00:00Z", reason="A slip"),
        lambda: marked(writable, room, 50, day="2026-03-11"),
        post,
        lambda: run(writable, "moveStudent", id=student, classId=other.id, on="2026-03-18"),
        lambda: run(writable, "correctAttendance", studentId=student, date="2026-03-16", status="PRESENT", idempotencyKey=uuid4().hex),
    ]  # fmt: skip
    before = (await writable.value("SELECT created_at - interval '1 second' FROM students WHERE id = $1", student[4:])).isoformat()
    moments = [(await now(writable), await present(writable, student))]
    for change in changes:
        await change()
        moments.append((await now(writable), await present(writable, student)))
    assert len({str(what) for _, what in moments}) >= len(changes) - 3, (
        "nearly every change shows: not marks before they are posted, nor reopening"
    )
    for n, (at, known) in enumerate(moments):
        assert await past(writable, student, at) == known, n
    assert await past(writable, student, before) is None, "not known yet"


async def test_a_cancelled_charge_was_owed_until_it_was_cancelled(writable):
    room = await make_classroom(writable, 1)
    student = room.students[0]
    fee = await charge(writable, student, "75")
    owed = await present(writable, student), await now(writable)
    await writable.database.execute("UPDATE payments SET cancelled_at = now(), cancel_reason = 'Mistake' WHERE id = $1", fee)
    gone = await present(writable, student), await now(writable)
    assert Decimal(owed[0]["balances"][0]["balance"]) == 75
    assert Decimal(gone[0]["balances"][0]["balance"]) == 0
    for known, at in (owed, gone):
        assert (await past(writable, student, at))["balances"] == known["balances"]


async def test_several_changes_in_one_transaction_leave_no_step_between_them(writable):
    room = await make_classroom(writable, 1)
    student = room.students[0]
    fee = await charge(writable, student, "100")
    before = await now(writable), await present(writable, student)
    async with writable.database.transaction() as connection:
        for day in ("2026-04-01", "2026-05-01", "2026-06-01"):
            await connection.execute("UPDATE payments SET due_date = $2::text::date WHERE id = $1", fee, day)
    after = await now(writable), await present(writable, student)
    assert Decimal(before[1]["balances"][0]["overdue"]) == 100
    for at, known in (before, after):
        assert (await past(writable, student, at))["balances"][0]["charged"] == known["balances"][0]["charged"]
    # What falls due is looked at by the moment's day, which is today in earnest: only that the first date is restored shows.
    row = await writable.value("SELECT past_values('payments', $1, $2::text::timestamptz) ->> 'due_date'", fee, before[0])
    assert row == "2026-03-01"


async def test_of_two_changes_the_one_made_first_is_taken_back_last_even_if_it_began_later(writable):
    """Checks a transaction that waited for the row: its change is the later one, although it began before the one that it waited for."""
    room = await make_classroom(writable, 1)
    fee = await charge(writable, room.students[0], "100")
    before = await now(writable)
    change = "UPDATE payments SET due_date = $2::text::date WHERE id = $1"
    early = await asyncpg.connect(writable.url)
    try:
        async with early.transaction():
            await early.fetchval("SELECT now()")
            await writable.database.execute(change, fee, "2026-04-01")
            await early.execute(change, fee, "2026-05-01")
    finally:
        await early.close()
    assert await writable.value("SELECT past_values('payments', $1, $2::text::timestamptz) ->> 'due_date'", fee, before) == "2026-03-01"


@pytest.mark.parametrize("at", ["2126-01-01T00:00:00Z", "2026-03-18T10:00:00"])
async def test_a_moment_that_cannot_be_is_a_clear_error(writable, at):
    student = await writable.id("stu", "SELECT id FROM students LIMIT 1")
    answer = await writable.ask("query ($id: ID!, $at: DateTime!) { student(id: $id) { asOf(at: $at) { at } } }", id=student, at=at)
    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_page_of_students_of_the_past_costs_one_statement_a_part(writable):
    query = """query ($at: DateTime!) { students(first: 50) { nodes { asOf(at: $at) { classMembership { fromDate } classHistory { toDate } finalGrades { letter } balances { balance }
        attendance(fromDate: "2026-01-01", toDate: "2026-03-31") { status }
        attendanceSummary(fromDate: "2026-01-01", toDate: "2026-03-31") { rate } } } } }"""
    answer = await writable.ask(query, at=datetime.now(UTC).isoformat())
    assert not answer.errors
    assert answer.statements == 1 + 1 + 4, "the list, who was known, history, final grades, balances, attendance"


async def test_the_seeded_school_has_a_past(writable):
    """Rows are back-dated: three weeks ago a part of the attendance was not known, and other sums were owed."""
    at = "2026-02-25T12:00:00+00:00"
    student = await writable.id(
        "stu",
        "SELECT s.id FROM students s JOIN student_class_history h ON h.student_id = s.id AND h.to_date < '2025-08-31' WHERE s.is_active ORDER BY s.alt_id LIMIT 1",
    )
    then, today = await past(writable, student, at), await present(writable, student)
    assert then["classMembership"] is not None
    assert then["attendanceSummary"]["days"] < today["attendanceSummary"]["days"]
    assert then["balances"] != today["balances"]
