"""Tests the history of a student's classes: it has neither gaps nor overlaps, whatever is changed and when."""

from datetime import date
from uuid import UUID, uuid4

import asyncpg

from db.books import check_books
from tests.schema.writing.class_builder import codes, make_classroom
from tests.schema.writing.test_attendance import submit
from tests.schema.writing.test_people import CREATE_STUDENT, make_student, student
from tests.schema.writing.test_promotion import apply, plan_of, summer

__all__ = ["summer"]

MOVE = "mutation ($input: MoveStudentInput!) { moveStudent(input: $input) { userErrors { field code } } }"
LEAVE = "mutation ($input: DeactivateStudentInput!) { deactivateStudent(input: $input) { student { isActive class { id } } userErrors { field code } } }"
BACK = "mutation ($input: ReenrollStudentInput!) { reenrollStudent(input: $input) { student { isActive } userErrors { field code } } }"


async def move(school, student_id, class_id, **given):
    return codes((await school.data(MOVE, input={"id": student_id, "classId": class_id, **given}))["moveStudent"])


async def leave(school, student_id, **given):
    version = await school.value("SELECT version FROM students WHERE id = $1", UUID(student_id[4:]))
    return (await school.data(LEAVE, input={"id": student_id, "version": version, **given}))["deactivateStudent"]


async def history(school, student_id):
    """Returns a student's memberships, oldest first, as (class, first day, last day, reason of the start, reason of the end)."""
    rows = await school.database.fetch(
        "SELECT class_id, from_date, to_date, reason, end_reason FROM student_class_history WHERE student_id = $1 ORDER BY from_date",
        UUID(student_id[4:]),
    )
    return [(f"cls_{row['class_id'].hex}", *list(row)[1:]) for row in rows]


async def books(school):
    """Returns the names of the consistency checks of people and registers that find something."""
    connection = await asyncpg.connect(school.url)
    try:
        return [each.check.name for each in await check_books(connection) if each.broken]
    finally:
        await connection.close()


async def test_a_move_on_the_first_day_corrects_the_entry_and_back_and_forth_leaves_no_gap(writable):
    one, two, three = [(await make_classroom(writable, 0)).id for _ in range(3)]
    made = (await make_student(writable, classId=one, enrollmentDate="2026-03-02"))["id"]
    for there in (two, three, one, two):
        assert await move(writable, made, there) == []
    assert await history(writable, made) == [
        (one, date(2026, 3, 2), date(2026, 3, 17), "ENROLLED", "MOVED"), (two, date(2026, 3, 18), None, "MOVED", None),
    ]  # fmt: skip
    counts = await writable.database.fetch(
        "SELECT current_enrollment FROM classes WHERE id = ANY($1)", [UUID(c[4:]) for c in (one, two, three)]
    )
    assert sorted(each["current_enrollment"] for each in counts) == [0, 0, 1]
    assert await books(writable) == []


async def test_everything_that_stands_against_a_move_is_told_at_once(writable):
    room = await make_classroom(writable, 1)
    full = await make_classroom(writable, 1)
    await writable.database.execute("UPDATE classes SET capacity = 1, is_active = false WHERE id = $1", UUID(full.id[4:]))
    assert codes(await submit(writable, room, "PRESENT", date="2026-03-16")) == []
    assert sorted(await move(writable, room.students[0], full.id, on="2026-03-10")) == [
        ("classId", "CLASS_FULL"), ("classId", "NOT_ACTIVE"), ("on", "HAS_MARKS"),
    ]  # fmt: skip
    assert sorted(await move(writable, room.students[0], full.id, on="2026-08-20")) == [
        ("classId", "CLASS_FULL"), ("classId", "NOT_ACTIVE"), ("on", "IN_FUTURE"), ("on", "OUTSIDE_YEAR"),
    ]  # fmt: skip


async def test_who_was_promoted_changes_class_before_the_first_day_of_the_new_year(summer):
    school, years = summer
    plan = await plan_of(school, years)
    assert codes(await apply(school, years, hash=plan["hash"])) == []
    row = next(each for each in plan["rows"] if each["action"] == "PROMOTE")
    other = await school.id(
        "cls", "SELECT id FROM classes WHERE academic_year_id = $1 AND id <> $2 LIMIT 1",
        UUID(years["toAcademicYearId"][5:]), UUID(row["toClass"]["id"][4:]),
    )  # fmt: skip
    before = await history(school, row["student"]["id"])
    assert await move(school, row["student"]["id"], other, on=str(before[-1][1].replace(day=before[-1][1].day + 1))) == [
        ("on", "IN_FUTURE")
    ]
    assert await move(school, row["student"]["id"], other) == []
    assert await history(school, row["student"]["id"]) == [*before[:-1], (other, *before[-1][1:])]
    assert await books(school) == []


async def test_who_leaves_in_the_summer_was_never_in_the_class_of_the_new_year(summer):
    school, years = summer
    plan = await plan_of(school, years)
    assert codes(await apply(school, years, hash=plan["hash"])) == []
    row = next(each for each in plan["rows"] if each["action"] == "PROMOTE")
    before = await history(school, row["student"]["id"])
    assert codes(await leave(school, row["student"]["id"], on="2020-01-01")) == [("on", "TOO_EARLY")]
    assert await history(school, row["student"]["id"]) == before
    left = await leave(school, row["student"]["id"])
    assert left == {"student": {"isActive": False, "class": None}, "userErrors": []}
    [*earlier, last] = before[:-1]
    assert await history(school, row["student"]["id"]) == [*earlier, (*last[:2], date(2026, 8, 5), last[3], "LEFT")]
    assert await books(school) == []
    deleted = "SELECT count(*) FROM audit_logs WHERE table_name = 'student_class_history' AND action = 'DELETE'"
    assert await school.value(deleted) == 1


async def test_who_was_enrolled_ahead_and_does_not_come_was_in_no_class(writable):
    room = await make_classroom(writable, 0)
    made = (await make_student(writable, classId=room.id, enrollmentDate="2026-03-25"))["id"]
    assert codes(await leave(writable, made)) == []
    assert await history(writable, made) == []
    assert await writable.value("SELECT current_enrollment FROM classes WHERE id = $1", UUID(room.id[4:])) == 0
    version = await writable.value("SELECT version FROM students WHERE id = $1", UUID(made[4:]))
    back = (await writable.data(BACK, input={"id": made, "version": version, "classId": room.id}))["reenrollStudent"]
    assert back == {"student": {"isActive": True}, "userErrors": []}
    assert await books(writable) == []


async def test_who_comes_back_is_in_no_class_twice_on_one_day(writable):
    room = await make_classroom(writable, 1)
    assert codes(await leave(writable, room.students[0], on="2026-03-10")) == []
    version = await writable.value("SELECT version FROM students WHERE id = $1", UUID(room.students[0][4:]))
    given = {"id": room.students[0], "version": version, "classId": room.id}
    assert codes((await writable.data(BACK, input={**given, "on": "2026-03-10"}))["reenrollStudent"]) == [("on", "OVERLAP")]
    assert codes((await writable.data(BACK, input={**given, "on": "2026-03-11"}))["reenrollStudent"]) == []
    assert await books(writable) == []


async def test_promotion_takes_who_joined_late_and_who_repeats_and_is_not_applied_twice(summer):
    school, years = summer
    rooms = await school.database.fetch(
        "SELECT c.id FROM classes c JOIN academic_years y ON y.id = c.academic_year_id WHERE y.is_current AND c.grade_level = 2 ORDER BY c.id LIMIT 1"
    )
    late = (await make_student(school, classId=f"cls_{rooms[0]['id'].hex}", enrollmentDate="2026-07-30"))["id"]
    overrides = [{"studentId": late, "action": "REPEAT"}]
    plan = await plan_of(school, years, overrides=overrides)
    done = await apply(school, years, overrides=overrides, hash=plan["hash"])
    assert codes(done) == []
    assert done["repeatedCount"] == 1
    [first, second] = await history(school, late)
    assert (first[3], first[4], second[3], second[4]) == ("ENROLLED", "REPEATED", "REPEATED", None)
    assert (second[1] - first[2]).days == 1
    again = await apply(school, years, overrides=overrides, hash=plan["hash"])
    assert codes(again) == [("hash", "PLAN_CHANGED")]
    assert await books(school) == []


async def test_every_instruction_of_a_promotion_that_cannot_be_is_told_by_its_place(summer):
    school, years = summer
    gone = await school.id("stu", "SELECT id FROM students WHERE NOT is_active LIMIT 1")
    here = (await plan_of(school, years))["rows"][0]["student"]["id"]
    overrides = [{"studentId": here, "action": "LEAVE"}, {"studentId": gone, "action": "LEAVE"}]
    plan = await plan_of(school, years, overrides=overrides)
    assert codes(await apply(school, years, overrides=overrides, hash=plan["hash"])) == [("overrides.1.studentId", "NOT_IN_YEAR")]
    thrice = [overrides[0]] * 3
    assert codes(await apply(school, years, overrides=thrice, hash=plan["hash"])) == [
        ("overrides.1.studentId", "TWICE"), ("overrides.2.studentId", "TWICE"),
    ]  # fmt: skip


async def test_a_student_made_offline_and_sent_again_the_day_after_is_one_student(writable):
    given = student(clientId=str(uuid4()))
    first = (await writable.data(CREATE_STUDENT, input=given))["createStudent"]
    await writable.database.execute("UPDATE students SET enrollment_date = enrollment_date - 1 WHERE id = $1", UUID(given["clientId"]))
    again = (await writable.data(CREATE_STUDENT, input=given))["createStudent"]
    assert (again["userErrors"], again["student"]["id"]) == ([], first["student"]["id"])


async def test_what_fails_late_leaves_nothing_and_what_came_before_it_in_the_operation_stays(writable):
    room = await make_classroom(writable, 0)
    await writable.database.execute("UPDATE classes SET capacity = 1 WHERE id = $1", UUID(room.id[4:]))
    query = """mutation ($one: CreateStudentInput!, $two: CreateStudentInput!, $three: CreateStudentInput!) {
      one: createStudent(input: $one) { userErrors { field code } } two: createStudent(input: $two) { student { id } userErrors { field code } }
      three: createStudent(input: $three) { userErrors { field code } } }"""
    one, two, three = (student(classId=room.id, studentNumber=f"late-{n}", email=f"late-{n}@home.example") for n in range(3))
    three.pop("classId")
    answer = await writable.data(query, one=one, two=two, three=three)
    assert (codes(answer["one"]), codes(answer["two"]), codes(answer["three"])) == ([], [("classId", "CLASS_FULL")], [])
    assert await writable.value("SELECT count(*) FROM users WHERE email LIKE 'late-%'") == 2
    known = "SELECT count(*) FROM audit_logs l WHERE l.table_name = 'users' AND NOT EXISTS (SELECT FROM users u WHERE u.id = l.record_id)"
    assert await writable.value(known) == 0
