"""Tests creating, changing and cancelling charges, with one test for each rule."""

from uuid import uuid4

import pytest

from tests.schema.writing.charge_builder import BURSAR, PREVIEW, act, books, charge, make_family, money, pay, run
from tests.schema.writing.class_builder import codes
from tests.schema.writing.lock_barrier import all_at_once


@pytest.fixture
async def family(writable):
    return await make_family(writable)


async def preview(school, viewer=BURSAR, **given):
    return (await school.data(PREVIEW, viewer, input=given))["previewCharges"]


async def create(school, given, shown=None, **changed):
    shown = shown or await preview(school, **given)
    return await act(school, "createCharges", **{"hash": shown["hash"], **given, **changed})


async def test_a_run_is_previewed_with_every_row_and_writes_nothing(writable, family):
    before = await books(writable)
    shown = await preview(writable, feeCategoryId=family.category, classId=family.room, dueDate="2026-04-05", description="Trip")
    assert await books(writable) == before
    assert shown["userErrors"] == []
    assert (shown["chargeCount"], shown["errorCount"], shown["total"], shown["currency"]) == (2, 0, "200.00", "EUR")
    assert [row["student"]["id"] for row in shown["rows"]] == family.students
    assert shown["academicYear"]["name"] == "2025/26"


async def test_a_run_is_applied_as_it_was_seen_in_one_statement(writable, family):
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05", "description": "Trip"}
    made = await create(writable, given)
    assert codes(made) == []
    assert (made["chargeCount"], made["total"], made["currency"]) == (2, "200.00", "EUR")
    assert [each["student"]["id"] for each in made["charges"]] == family.students
    assert {each["status"] for each in made["charges"]} == {"PENDING"}
    ids = [each["id"][4:] for each in made["charges"]]
    audit = "SELECT count(*), count(DISTINCT request_id) FROM audit_logs WHERE table_name = 'payments' AND action = 'INSERT' AND record_id = ANY($1::uuid[])"
    assert tuple(await writable.database.fetchrow(audit, ids)) == (2, 1)


async def test_one_student_a_class_a_grade_level_and_a_fee_category_can_be_charged(writable, family):
    given = {"feeCategoryId": family.category, "dueDate": "2026-04-05"}
    assert (await preview(writable, **given, studentIds=family.students[:1]))["chargeCount"] == 1
    assert (await preview(writable, **given, classId=family.room))["chargeCount"] == 2
    everyone = await writable.value("SELECT count(*) FROM students WHERE is_active AND class_id IS NOT NULL")
    assert (await preview(writable, **given, everyone="IN_SCHOOL"))["chargeCount"] == everyone
    level = "SELECT count(*) FROM students s JOIN classes c ON c.id = s.class_id WHERE s.is_active AND c.grade_level = 12"
    assert (await preview(writable, **given, everyone="IN_SCHOOL", gradeLevel=12))["chargeCount"] == await writable.value(level)


async def test_everyone_in_a_fee_category_are_those_charged_in_it_in_the_year_before(writable, family):
    given = {"feeCategoryId": family.category, "everyone": "IN_FEE_CATEGORY"}
    assert codes(await preview(writable, **given, dueDate="2026-05-05")) == [(None, "NOBODY")]
    first = await charge(writable, family, 0, due="2026-04-01")
    cancelled = await charge(writable, family, 1, due="2026-04-01")
    await act(writable, "cancelCharge", id=cancelled, reason="Does not take part")
    shown = await preview(writable, **given, dueDate="2026-05-05")
    assert [row["student"]["id"] for row in shown["rows"]] == [family.students[0]]
    year = await writable.id("year", "SELECT id FROM academic_years WHERE is_current")
    later = await preview(writable, **given, dueDate="2027-04-01", academicYearId=year)
    assert codes(later) == [(None, "NOBODY")], "a year later it is another round"
    assert first


async def test_the_same_charge_twice_is_refused_unless_it_is_meant(writable, family):
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05", "description": "Tuition for April 2026"}
    made = await create(writable, given | {"studentIds": family.students[:1], "classId": None})
    same_day = await preview(writable, **given | {"description": "another text"})
    assert [(row["error"], row["repeats"] and row["repeats"]["id"]) for row in same_day["rows"]] == [
        ("ALREADY_CHARGED", made["charges"][0]["id"]), (None, None),
    ]  # fmt: skip
    same_text = await preview(writable, **given | {"dueDate": "2026-04-06", "description": "tuition for april 2026 "})
    assert (same_text["errorCount"], same_text["rows"][0]["error"]) == (1, "ALREADY_CHARGED")
    before = await books(writable)
    refused = await create(writable, given)
    assert codes(refused) == [(f"students.{await uuid_of(family.students[0])}", "ALREADY_CHARGED")]
    assert await books(writable) == before
    meant = await preview(writable, **given, allowAgain=True)
    assert (meant["errorCount"], meant["rows"][0]["warnings"]) == (0, ["ALREADY_CHARGED"])
    assert (await create(writable, given | {"allowAgain": True}))["chargeCount"] == 2


async def test_a_cancelled_charge_is_no_repetition(writable, family):
    first = await charge(writable, family, due="2026-04-07")
    await act(writable, "cancelCharge", id=first, reason="Wrong")
    shown = await preview(writable, feeCategoryId=family.category, studentIds=family.students[:1], dueDate="2026-04-07")
    assert shown["errorCount"] == 0


async def test_an_apply_is_refused_when_the_data_has_changed_since(writable, family):
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05"}
    shown = await preview(writable, **given)
    student = await writable.database.fetchrow("SELECT id, version FROM students WHERE id = $1", family.students[0][4:])
    await run(writable, "deactivateStudent", "student { id }", id=family.students[0], version=student["version"], on="2026-03-17")
    before = await books(writable)
    assert codes(await create(writable, given, shown)) == [("hash", "PLAN_CHANGED")]
    assert codes(await create(writable, given, shown, amount="90")) == [("hash", "PLAN_CHANGED")]
    assert await books(writable) == before


async def test_two_bursars_who_apply_one_preview_charge_once(writable, family):
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05"}
    shown = await preview(writable, **given)
    hold = "SELECT FROM fee_categories WHERE id = $1::uuid FOR UPDATE"
    runs = [act(writable, "createCharges", viewer=each, hash=shown["hash"], **given) for each in (BURSAR, "admin@demo.school")]
    answers = await all_at_once(writable, hold, family.category[4:], requests=runs)
    assert sorted(answer["chargeCount"] or 0 for answer in answers) == [0, 2]
    assert {code for answer in answers for code in codes(answer)} == {("hash", "PLAN_CHANGED")}
    assert await writable.value("SELECT count(*) FROM payments WHERE fee_category_id = $1", family.category[4:]) == 2


async def test_one_key_charges_once(writable, family):
    given = {"feeCategoryId": family.category, "classId": family.room, "dueDate": "2026-04-05"}
    shown, key = await preview(writable, **given), uuid4().hex
    first = await act(writable, "createCharges", key=key, hash=shown["hash"], **given)
    again = await act(writable, "createCharges", key=key, hash=shown["hash"], **given)
    assert first == again
    assert first["chargeCount"] == 2
    assert codes(await act(writable, "createCharges", key=key, hash=shown["hash"], **given | {"dueDate": "2026-04-06"})) == [
        ("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")
    ]


async def test_everything_that_is_wrong_with_a_run_is_told_at_once(writable, family):
    year = "year_" + "0" * 32
    shown = await preview(
        writable, feeCategoryId=family.category, dueDate="2026-04-05", amount="0.001", description="x" * 301, academicYearId=year,
        studentIds=[family.students[0], family.students[0]], gradeLevel=3,
    )  # fmt: skip
    assert set(codes(shown)) == {
        ("amount", "INVALID"), ("description", "INVALID"), ("academicYearId", "NOT_FOUND"), ("gradeLevel", "NOT_ALLOWED"),
        ("studentIds.0", "TWICE"), ("studentIds.1", "TWICE"),
    }  # fmt: skip
    assert shown["hash"] is None
    both = await preview(writable, feeCategoryId=family.category, dueDate="2031-04-05", everyone="IN_SCHOOL", classId=family.room)
    assert set(codes(both)) == {("dueDate", "OUTSIDE_YEAR"), (None, "ONE_OF")}
    nobody = await preview(writable, feeCategoryId="fee_" + "0" * 32, dueDate="2026-04-05", studentIds=["stu_" + "0" * 32])
    assert ("feeCategoryId", "NOT_FOUND") in codes(nobody)
    unknown = await preview(writable, feeCategoryId=family.category, dueDate="2026-04-05", studentIds=["stu_" + "0" * 32, "nonsense"])
    assert ("studentIds.1", "INVALID_ID") in codes(unknown)
    unknown = await preview(writable, feeCategoryId=family.category, dueDate="2026-04-05", studentIds=["stu_" + "0" * 32])
    assert codes(unknown) == [("studentIds.0", "NOT_FOUND")]


@pytest.mark.parametrize(("currency", "amount", "code"), [("JPY", "100.5", "INVALID"), ("JPY", "100", None), ("KWD", "1.234", None), ("KWD", "1.2345", "INVALID"), ("EUR", "-1", "INVALID"), ("EUR", "1" + "0" * 39, "INVALID")])  # fmt: skip
async def test_an_amount_is_a_whole_number_of_the_currencys_smallest_unit(writable, currency, amount, code):
    family = await make_family(writable, 1, currency=currency)
    shown = await preview(writable, feeCategoryId=family.category, studentIds=family.students, dueDate="2026-04-05", amount=amount)
    assert codes(shown) == ([("amount", code)] if code else [])


async def test_a_charge_on_which_nothing_is_net_paid_can_be_cancelled_and_only_such(writable, family):
    one = await charge(writable, family)
    await pay(writable, (one, "40"))
    before = await books(writable)
    assert codes(await act(writable, "cancelCharge", id=one, reason="")) == [("reason", "REQUIRED"), ("id", "HAS_PAYMENTS")]
    assert await books(writable) == before
    paid = await writable.id("txn", "SELECT id FROM payment_transactions WHERE payment_id = $1", one[4:])
    await act(writable, "refundPayment", id=paid, reason="Left")
    answer = await act(writable, "cancelCharge", id=one, reason="Left the course")
    assert (answer["charge"]["status"], answer["charge"]["balance"], answer["charge"]["cancelReason"]) == (
        "CANCELLED",
        "0.00",
        "Left the course",
    )
    assert codes(await act(writable, "cancelCharge", id=one, reason="Again")) == [("id", "CANCELLED")]
    assert codes(await pay(writable, (one, "1"))) == [("allocations.0.chargeId", "CANCELLED")]


async def test_only_the_due_date_and_the_description_of_a_charge_change(writable, family):
    one = await charge(writable, family)
    version = (await writable.data("query ($id: ID!) { charge(id: $id) { version } }", id=one))["charge"]["version"]
    answer = await act(writable, "updateCharge", id=one, version=version, dueDate="2026-04-09", description="Trip")
    assert (answer["charge"]["dueDate"], answer["charge"]["description"], answer["charge"]["amount"]) == ("2026-04-09", "Trip", "100.00")
    stale = await act(writable, "updateCharge", id=one, version=version, description="Other")
    assert codes(stale) == [("version", "CONFLICT")]
    assert stale["charge"]["description"] == "Trip"
    wrong = await act(writable, "updateCharge", id=one, version=version + 1, description="x" * 301, dueDate=None)
    assert set(codes(wrong)) == {("description", "INVALID"), ("dueDate", "REQUIRED")}
    await act(writable, "cancelCharge", id=one, reason="Wrong")
    assert codes(await act(writable, "updateCharge", id=one, version=version + 2, description="Other")) == [("id", "CANCELLED")]
    assert await money(writable, one) == ("CANCELLED", 0)


async def uuid_of(identifier):
    from uuid import UUID

    return UUID(identifier[4:])


async def test_a_list_longer_than_can_be_handled_at_once_is_refused(writable, family):
    given = {"feeCategoryId": family.category, "studentIds": family.students[:1] * 501, "dueDate": "2026-04-01"}
    answer = (await writable.data(PREVIEW, BURSAR, input=given))["previewCharges"]
    assert codes(answer) == [("studentIds", "TOO_MANY")]
