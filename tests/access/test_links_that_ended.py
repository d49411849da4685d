"""Tests that former teachers and guardians who can still sign in see only what their other links allow."""

from uuid import UUID, uuid4

from tests.schema.writing.class_builder import codes, make_classroom
from tests.schema.writing.test_attendance import DAY, SUBMIT, submit

SEES = """query ($id: ID!) { student(id: $id) { name birthDate guardians { nodes { name } } balances { currency }
  attendance(first: 5) { nodes { id } } classHistory { nodes { id } } }
  students(first: 50) { nodes { id } } attendance(first: 50) { nodes { student { id } } } attendanceSummary(fromDate: "2026-03-01", toDate: "2026-03-31") { days } }"""
TEACHER = "teacher@demo.school"


async def run(school, name, shows, **given):
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {shows} userErrors {{ field code }} }} }}"
    return (await school.data(query, input=given))[name]


async def a_teacher(school):
    """Returns a teacher with an account and without lessons, as (global id, e-mail address)."""
    email = f"{uuid4().hex[:8]}@demo.school"
    given = {"firstName": "Tea", "lastName": "Cher", "employeeNumber": email[:8], "joiningDate": "2026-01-01", "email": email}
    return (await run(school, "createTeacher", "teacher { id }", **given))["teacher"]["id"], email


async def user_of(school, email):
    return await school.id("usr", "SELECT id FROM users WHERE email = $1", email)


async def test_a_teacher_who_was_a_guardian_sees_nothing_of_the_child_any_more(writable):
    room = await make_classroom(writable)
    await submit(writable, room, "PRESENT")
    _, email = await a_teacher(writable)
    guardian = (await run(writable, "createGuardian", "guardian { id version }", userId=await user_of(writable, email)))["guardian"]
    await run(writable, "linkGuardian", "guardian { id }", guardianId=guardian["id"], studentId=room.students[0], relationship="MOTHER")
    seen = await writable.data(SEES, email, id=room.students[0])
    assert seen["student"]["name"] == "S0 Test"
    assert [each["id"] for each in seen["students"]["nodes"]] == [room.students[0]]
    assert seen["attendanceSummary"] == {"days": 1}
    # A guardian may not take the register of her child's teacher.
    entries = [{"studentId": room.students[0], "status": "ABSENT"}]
    given = {"classId": room.id, "date": DAY, "entries": entries, "idempotencyKey": "mother"}
    assert (await writable.ask(SUBMIT, email, input=given)).codes == ["FORBIDDEN"]
    done = await run(writable, "deactivateGuardian", "guardian { id }", id=guardian["id"], version=guardian["version"])
    assert codes(done) == []
    assert await writable.data(SEES, email, id=room.students[0]) == {
        "student": None, "students": {"nodes": []}, "attendance": {"nodes": []}, "attendanceSummary": None,
    }  # fmt: skip


async def test_who_was_a_teacher_and_signs_in_as_something_else_sees_no_pupils_and_takes_no_register(writable):
    room = await make_classroom(writable)
    teacher, email = await a_teacher(writable)
    await writable.database.execute("UPDATE classes SET teacher_id = $2 WHERE id = $1", UUID(room.id[4:]), UUID(teacher[4:]))
    assert codes(await submit(writable, room, "PRESENT", viewer=email)) == []
    assert (await writable.data(SEES, email, id=room.students[0]))["student"]["name"] == "S0 Test"
    # As after `deactivateTeacher` in a later year, when the class has ended; the account is activated again.
    await writable.database.execute("UPDATE teachers SET is_active = false WHERE id = $1", UUID(teacher[4:]))
    assert await writable.data(SEES, email, id=room.students[0]) == {
        "student": None, "students": {"nodes": []}, "attendance": {"nodes": []}, "attendanceSummary": None,
    }  # fmt: skip
    given = {"classId": room.id, "date": DAY, "entries": [{"studentId": room.students[0], "status": "ABSENT"}], "idempotencyKey": "gone"}
    audit = await writable.value("SELECT count(*) FROM audit_logs")
    assert (await writable.ask(SUBMIT, email, input=given)).codes == ["FORBIDDEN"]
    assert await writable.value("SELECT count(*) FROM audit_logs") == audit


async def test_a_teacher_who_once_taught_the_class_takes_no_register_now(writable):
    room = await make_classroom(writable)
    teacher, email = await a_teacher(writable)
    lesson = await writable.database.fetchval("SELECT id FROM class_subjects WHERE class_id = $1", UUID(room.id[4:]))
    await writable.database.execute("UPDATE class_subjects SET teacher_id = $2 WHERE id = $1", lesson, UUID(teacher[4:]))
    assert codes(await submit(writable, room, "PRESENT", viewer=email, subjectId=room.subject)) == []
    await writable.database.execute("UPDATE class_subjects SET teacher_id = NULL WHERE id = $1", lesson)
    for subject in ({"subjectId": room.subject}, {}):
        given = {"classId": room.id, "date": DAY, "entries": [], "idempotencyKey": "once", **subject}
        assert (await writable.ask(SUBMIT, email, input=given)).codes == ["FORBIDDEN"]
    assert (await writable.data(SEES, email, id=room.students[0]))["student"] is None


async def test_a_deactivated_account_with_a_live_token_writes_nothing(writable):
    room = await make_classroom(writable)
    teacher, email = await a_teacher(writable)
    await writable.database.execute("UPDATE classes SET teacher_id = $2 WHERE id = $1", UUID(room.id[4:]), UUID(teacher[4:]))
    viewer = await writable.viewer(email)
    given = {"classId": room.id, "date": DAY, "entries": [], "idempotencyKey": "live"}
    assert not (await writable.ask(SUBMIT, viewer, input=given)).errors
    await writable.database.execute("UPDATE users SET is_active = false WHERE email = $1", email)
    audit = await writable.value("SELECT count(*) FROM audit_logs")
    assert (await writable.ask(SUBMIT, viewer, input=given | {"idempotencyKey": "dead"})).codes == ["UNAUTHENTICATED"]
    # The result that is stored under the idempotency key is not shown to them either.
    assert (await writable.ask(SUBMIT, viewer, input=given)).codes == ["UNAUTHENTICATED"]
    assert await writable.value("SELECT count(*) FROM audit_logs") == audit


async def test_an_id_out_of_reach_and_one_of_nobody_are_answered_alike(writable):
    room, other = await make_classroom(writable), await make_classroom(writable)
    refusals = []
    for student in (other.students[0], f"stu_{uuid4().hex}"):
        answer = await submit(writable, room, entries=[{"studentId": student, "status": "PRESENT"}])
        refusals.append(answer["userErrors"])
    assert refusals[0] == refusals[1] == [{"field": "entries.0.studentId", "code": "NOT_IN_CLASS"}]
