"""Tests mutations at the same time: each test keeps one of them open until the other waits for it."""

import asyncio
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from tests.schema.writing.assessment_builder import make_assessment
from tests.schema.writing.class_builder import codes, make_classroom
from tests.schema.writing.lock_barrier import all_at_once, concurrent_transaction
from tests.schema.writing.test_attendance import DAY, correct, submit
from tests.schema.writing.test_promotion import apply, plan_of, summer

__all__ = ["summer"]

HOLD_STUDENTS = "SELECT FROM students WHERE id = ANY($1::uuid[]) FOR NO KEY UPDATE"
LINK = """mutation ($input: LinkGuardianInput!) { linkGuardian(input: $input) { guardianship { isPrimary } userErrors { field code } } }"""


@pytest.fixture
async def room(writable):
    return await make_classroom(writable)


def uuid_of(global_id):
    return UUID(global_id[4:])


async def test_who_moves_while_the_register_is_taken_is_not_marked_in_the_class_they_left(writable, room):
    student = uuid_of(room.students[0])
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT FROM students WHERE id = $1 FOR UPDATE", student)
        await other.execute(
            "UPDATE student_class_history SET to_date = '2026-03-16', end_reason = 'LEFT' WHERE student_id = $1 AND to_date IS NULL",
            student,
        )
        taking = asyncio.create_task(submit(writable, room, "PRESENT", "PRESENT"))
        await somebody_waits()
    assert codes(await taking) == [("entries.0.studentId", "NOT_IN_CLASS")]
    assert await writable.value("SELECT count(*) FROM attendance WHERE class_id = $1", uuid_of(room.id)) == 0


async def test_a_register_taken_while_the_office_enters_is_kept_beside_the_offices_word(writable, room):
    student, day = uuid_of(room.students[0]), date.fromisoformat(DAY)
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT FROM students WHERE id = $1 FOR NO KEY UPDATE", student)
        await other.execute(
            "INSERT INTO attendance (student_id, class_id, date, status, source) VALUES ($1, $2, $3, 'ABSENT', 'OFFICE')",
            student, uuid_of(room.id), day,
        )  # fmt: skip
        taking = asyncio.create_task(submit(writable, room, "PRESENT"))
        await somebody_waits()
    [change] = (await taking)["changes"]
    assert (change["change"], change["previousStatus"]) == ("KEPT", "ABSENT")
    assert change["attendance"] == {
        "status": "ABSENT", "excused": False, "minutesLate": None, "source": "OFFICE", "overruledMarks": [{"status": "PRESENT"}],
    }  # fmt: skip


async def test_the_office_that_enters_while_the_register_is_taken_keeps_what_the_teacher_said(writable, room):
    student, day = uuid_of(room.students[0]), date.fromisoformat(DAY)
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT FROM students WHERE id = $1 FOR NO KEY UPDATE", student)
        await other.execute(
            "INSERT INTO attendance (student_id, class_id, date, status) VALUES ($1, $2, $3, 'PRESENT')", student, uuid_of(room.id), day
        )
        entering = asyncio.create_task(correct(writable, room.students[0], "ABSENT"))
        await somebody_waits()
    entered = await entering
    assert (entered["change"], entered["previousStatus"]) == ("UPDATED", "PRESENT")
    assert entered["attendance"]["overruledMarks"] == [{"status": "PRESENT"}]


async def test_of_two_first_guardians_at_once_one_is_the_first(writable, room):
    guardians = [await writable.id("gua", "SELECT id FROM guardians ORDER BY id OFFSET $1 LIMIT 1", n) for n in range(2)]
    student = uuid_of(room.students[0])
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT FROM students WHERE id = $1 FOR NO KEY UPDATE", student)
        await other.execute(
            "INSERT INTO guardian_students (guardian_id, student_id, relationship, is_primary) VALUES ($1, $2, 'MOTHER', true)",
            uuid_of(guardians[0]), student,
        )  # fmt: skip
        given = {"guardianId": guardians[1], "studentId": room.students[0], "relationship": "FATHER", "isPrimary": True}
        linking = asyncio.create_task(writable.data(LINK, input=given))
        await somebody_waits()
    assert (await linking)["linkGuardian"] == {"guardianship": {"isPrimary": True}, "userErrors": []}
    first = await writable.database.fetch("SELECT guardian_id FROM guardian_students WHERE student_id = $1 AND is_primary", student)
    assert [each["guardian_id"] for each in first] == [uuid_of(guardians[1])]


async def test_one_link_made_twice_at_once_is_one_link(writable, room):
    guardian = await writable.id("gua", "SELECT id FROM guardians ORDER BY id LIMIT 1")
    given = {"guardianId": guardian, "studentId": room.students[0], "relationship": "MOTHER"}
    links = [writable.data(LINK, input=given) for _ in range(8)]
    answers = await all_at_once(writable, HOLD_STUDENTS, [uuid_of(room.students[0])], requests=links)
    assert [each["linkGuardian"]["userErrors"] for each in answers] == [[]] * 8
    assert await writable.value("SELECT count(*) FROM guardian_students WHERE student_id = $1", uuid_of(room.students[0])) == 1


async def test_the_last_place_in_a_class_is_given_once(writable):
    """Checks three students from three classes, so that only the lock of the class that they join makes them wait for each other."""
    other_room = await make_classroom(writable, 1)
    students = [(await make_classroom(writable, 1)).students[0] for _ in range(3)]
    await writable.database.execute("UPDATE classes SET capacity = 2 WHERE id = $1", uuid_of(other_room.id))
    move = "mutation ($input: MoveStudentInput!) { moveStudent(input: $input) { userErrors { field code } } }"
    moves = [writable.data(move, input={"id": each, "classId": other_room.id, "on": "2026-03-16"}) for each in students]
    answers = await all_at_once(writable, "SELECT FROM classes WHERE id = $1 FOR UPDATE", uuid_of(other_room.id), requests=moves)
    refused = [codes(each["moveStudent"]) for each in answers]
    assert sorted(refused) == [[], [("classId", "CLASS_FULL")], [("classId", "CLASS_FULL")]]
    assert await writable.value("SELECT current_enrollment FROM classes WHERE id = $1", uuid_of(other_room.id)) == 2


async def test_two_moves_of_one_student_at_once_leave_one_history_without_a_gap(writable, room):
    rooms = [(await make_classroom(writable, 0)).id for _ in range(4)]
    move = "mutation ($input: MoveStudentInput!) { moveStudent(input: $input) { userErrors { field code } } }"
    student = room.students[0]
    moves = [writable.data(move, input={"id": student, "classId": each}) for each in rooms]
    answers = await all_at_once(writable, "SELECT FROM students WHERE id = $1 FOR UPDATE", uuid_of(student), requests=moves)
    assert [codes(each["moveStudent"]) for each in answers] == [[]] * 4
    history = await writable.database.fetch(
        "SELECT class_id, from_date, to_date FROM student_class_history WHERE student_id = $1 ORDER BY from_date", uuid_of(student)
    )
    assert [(each["from_date"], each["to_date"]) for each in history] == [
        (date(2026, 2, 2), date(2026, 3, 17)), (date(2026, 3, 18), None),
    ]  # fmt: skip
    assert history[1]["class_id"] == await writable.value("SELECT class_id FROM students WHERE id = $1", uuid_of(student))
    counted = await writable.value("SELECT sum(current_enrollment) FROM classes WHERE id = ANY($1)", [uuid_of(each) for each in rooms])
    assert counted == 1


async def test_a_place_that_is_taken_while_a_promotion_is_applied_is_not_given_twice(summer):
    school, years = summer
    to_year = uuid_of("1234" + years["toAcademicYearId"][5:])
    room = await school.value("SELECT id FROM classes WHERE academic_year_id = $1 AND grade_level = 3 ORDER BY id LIMIT 1", to_year)
    plan = await plan_of(school, years)
    async with concurrent_transaction(school) as (other, somebody_waits):
        await other.execute("SELECT FROM classes WHERE id = $1 FOR UPDATE", room)
        user = await other.fetchval("INSERT INTO users (role, first_name, last_name) VALUES ('STUDENT', 'New', 'Comer') RETURNING id")
        student = await other.fetchval(
            "INSERT INTO students (user_id, student_number, enrollment_date) VALUES ($1, 'newcomer', '2026-08-01') RETURNING id", user
        )
        await other.execute(
            "INSERT INTO student_class_history (student_id, class_id, academic_year_id, from_date, reason) VALUES ($1, $2, $3, $4, 'ENROLLED')",
            student, room, to_year, await school.value("SELECT start_date FROM academic_years WHERE id = $1", to_year),
        )  # fmt: skip
        applying = asyncio.create_task(apply(school, years, hash=plan["hash"]))
        await somebody_waits()
    assert codes(await applying) == [("hash", "PLAN_CHANGED")]


async def test_a_teacher_who_is_let_go_is_given_no_work_meanwhile(writable, room):
    given = {"firstName": "Tea", "lastName": "Cher", "employeeNumber": "E-gone", "joiningDate": "2026-01-01"}
    create = "mutation ($input: CreateTeacherInput!) { createTeacher(input: $input) { teacher { id } userErrors { field code } } }"
    teacher = (await writable.data(create, input=given))["createTeacher"]["teacher"]["id"]
    update = "mutation ($input: UpdateClassInput!) { updateClass(input: $input) { userErrors { field code } } }"
    version = await writable.value("SELECT version FROM classes WHERE id = $1", uuid_of(room.id))
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT FROM teachers WHERE id = $1 FOR UPDATE", uuid_of(teacher))
        await other.execute("UPDATE teachers SET is_active = false WHERE id = $1", uuid_of(teacher))
        change = {"id": room.id, "version": version, "teacherId": teacher, "name": ""}
        giving = asyncio.create_task(writable.data(update, input=change))
        await somebody_waits()
    assert codes((await giving)["updateClass"]) == [("teacherId", "NOT_ACTIVE"), ("name", "INVALID")]
    given = {"classId": room.id, "subjectId": room.subject, "semesterId": room.semester, "teacherId": teacher}
    lesson = "mutation ($input: CreateClassSubjectInput!) { createClassSubject(input: $input) { userErrors { field code } } }"
    answer = (await writable.data(lesson, input=given))["createClassSubject"]
    assert codes(answer) == [("teacherId", "NOT_ACTIVE"), ("subjectId", "TAKEN")]


async def test_a_teacher_who_is_given_work_meanwhile_is_not_let_go(writable, room):
    given = {"firstName": "Tea", "lastName": "Cher", "employeeNumber": "E-kept", "joiningDate": "2026-01-01"}
    create = "mutation ($input: CreateTeacherInput!) { createTeacher(input: $input) { teacher { id version } userErrors { field code } } }"
    teacher = (await writable.data(create, input=given))["createTeacher"]["teacher"]
    deactivate = "mutation ($input: DeactivateTeacherInput!) { deactivateTeacher(input: $input) { userErrors { field code } } }"
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("SELECT FROM teachers WHERE id = $1 FOR SHARE", uuid_of(teacher["id"]))
        await other.execute("UPDATE classes SET teacher_id = $2 WHERE id = $1", uuid_of(room.id), uuid_of(teacher["id"]))
        going = asyncio.create_task(writable.data(deactivate, input=teacher))
        await somebody_waits()
    assert codes((await going)["deactivateTeacher"]) == [("id", "IN_USE")]


async def test_who_leaves_while_a_promotion_is_applied_is_not_promoted(summer):
    school, years = summer
    year = uuid_of("1234" + years["fromAcademicYearId"][5:])
    plan = await plan_of(school, years)
    membership = "SELECT id FROM student_class_history WHERE academic_year_id = $1 AND to_date IS NULL ORDER BY id LIMIT 1"
    leaves = await school.value(membership, year)
    async with concurrent_transaction(school) as (other, somebody_waits):
        await other.execute("UPDATE student_class_history SET to_date = '2026-07-01', end_reason = 'LEFT' WHERE id = $1", leaves)
        applying = asyncio.create_task(apply(school, years, hash=plan["hash"]))
        await somebody_waits()
    assert codes(await applying) == [("hash", "PLAN_CHANGED")]
    assert await school.value("SELECT to_date FROM student_class_history WHERE id = $1", leaves) == date(2026, 7, 1)


async def test_a_lesson_that_is_taken_back_is_not_assessed_in_meanwhile(writable, room):
    lesson = await writable.value("SELECT id FROM class_subjects WHERE class_id = $1", uuid_of(room.id))
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("DELETE FROM class_subjects WHERE id = $1", lesson)
        making = asyncio.create_task(make_assessment(writable, room, "admin@demo.school"))
        await somebody_waits()
    assert codes(await making) == [("subjectId", "NOT_TAUGHT")]


async def test_a_lesson_that_is_assessed_in_is_not_taken_back_meanwhile(writable, room):
    remove = "mutation ($input: RemoveClassSubjectInput!) { removeClassSubject(input: $input) { userErrors { field code } } }"
    lesson = await writable.id("csu", "SELECT id FROM class_subjects WHERE class_id = $1", uuid_of(room.id))
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute(
            "INSERT INTO assessments (class_id, subject_id, semester_id, assessment_type_id, assessment_date, title, max_score)"
            " VALUES ($1, $2, $3, (SELECT id FROM assessment_types LIMIT 1), '2026-03-10', 'A test', 10)",
            uuid_of(room.id), UUID(room.subject[4:]), UUID(room.semester[4:]),
        )  # fmt: skip
        removing = asyncio.create_task(writable.data(remove, input={"id": lesson}))
        await somebody_waits()
    assert codes((await removing)["removeClassSubject"]) == [("id", "IN_USE")]


async def test_a_semester_is_not_made_in_a_part_of_a_year_that_is_taken_off_meanwhile(writable):
    year = await writable.id(
        "year", "INSERT INTO academic_years (name, start_date, end_date) VALUES ('2040', '2040-01-01', '2040-12-31') RETURNING id"
    )
    create = "mutation ($input: CreateSemesterInput!) { createSemester(input: $input) { userErrors { field code } } }"
    given = {"academicYearId": year, "name": "Autumn", "startDate": "2040-08-01", "endDate": "2040-12-20"}
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute("UPDATE academic_years SET end_date = '2040-07-31' WHERE id = $1", UUID(year[5:]))
        making = asyncio.create_task(writable.data(create, input=given))
        await somebody_waits()
    assert codes((await making)["createSemester"]) == [("startDate", "OUTSIDE_YEAR")]


async def test_a_maximum_is_not_lowered_below_a_score_that_is_given_meanwhile(writable, room):
    """Checks this also for direct SQL: a mark locks its assessment."""
    test = (await make_assessment(writable, room))["assessment"]["id"]
    async with concurrent_transaction(writable) as (other, somebody_waits):
        await other.execute(
            "INSERT INTO grades (student_id, assessment_id, state, score) VALUES ($1, $2, 'SCORED', 90)",
            uuid_of(room.students[0]), UUID(test[4:]),
        )  # fmt: skip
        lowering = asyncio.create_task(writable.database.execute("UPDATE assessments SET max_score = 50 WHERE id = $1", UUID(test[4:])))
        await somebody_waits()
    with pytest.raises(asyncpg.CheckViolationError, match="score"):
        await lowering


async def test_registers_in_opposite_orders_at_once_are_both_taken(writable):
    room = await make_classroom(writable, 12)
    days = ("2026-03-16", "2026-03-17")
    turned = type(room)(room.id, room.students[::-1], room.subject, room.semester)
    registers = [submit(writable, each, *["PRESENT"] * 12, date=day) for each in (room, turned) for day in days for _ in range(3)]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await writable.value(deadlocks)
    answers = await all_at_once(writable, HOLD_STUDENTS, [uuid_of(each) for each in room.students], requests=registers)
    assert all(codes(each) == [] for each in answers)
    await writable.value("SELECT pg_stat_force_next_flush()")
    assert await writable.value(deadlocks) == before
    assert await writable.value("SELECT count(*) FROM attendance WHERE class_id = $1", uuid_of(room.id)) == 24


async def test_one_key_with_other_arguments_at_once_does_one_of_both(writable, room):
    registers = [submit(writable, room, *["PRESENT"] * n, key="one") for n in (1, 2, 3)]
    answers = await all_at_once(writable, HOLD_STUDENTS, [uuid_of(room.students[0])], requests=registers)
    outcomes = sorted(codes(each) for each in answers)
    assert outcomes == [[], [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")], [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]]
    marked = await writable.value("SELECT count(*) FROM attendance WHERE class_id = $1", uuid_of(room.id))
    assert marked == next(len(each["changes"]) for each in answers if each["changes"])


async def test_a_key_belongs_to_its_user_and_mutation_and_is_forgotten_after_30_days(writable, room):
    assert codes(await submit(writable, room, "PRESENT", key="mine")) == []
    assert codes(await submit(writable, room, "ABSENT", viewer="admin@demo.school", key="mine")) == []
    assert codes(await correct(writable, room.students[0], "LATE", idempotencyKey="mine")) == []
    await writable.database.execute("UPDATE idempotency_keys SET created_at = now() - interval '30 days 1 minute' WHERE key = 'mine'")
    registers = [submit(writable, room, None, *["PRESENT"] * n, key="mine") for n in (1, 2)]
    answers = await all_at_once(writable, HOLD_STUDENTS, [uuid_of(each) for each in room.students], requests=registers)
    assert sorted(codes(each) for each in answers) == [[], [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]]


async def test_of_changes_made_from_one_version_at_once_one_is_made(writable, room):
    """Checks that the second one is shown the row as the first left it, so that no change is lost."""
    update = "mutation ($input: UpdateClassInput!) { updateClass(input: $input) { class { name } userErrors { field code } } }"
    version = await writable.value("SELECT version FROM classes WHERE id = $1", uuid_of(room.id))
    changes = [writable.data(update, input={"id": room.id, "version": version, "name": f"Room {n}"}) for n in range(8)]
    answers = await all_at_once(writable, "SELECT FROM classes WHERE id = $1 FOR UPDATE", uuid_of(room.id), requests=changes)
    outcomes = [each["updateClass"] for each in answers]
    assert sorted(codes(each) for each in outcomes) == [[], *[[("version", "CONFLICT")]] * 7]
    assert len({each["class"]["name"] for each in outcomes}) == 1


async def test_of_the_last_administrators_one_stays(writable):
    """Checks two administrators who remove each other's role: each sees that the other remains, and only one may succeed."""
    emails = ["one.admin@demo.school", "other.admin@demo.school"]
    sql = "INSERT INTO users (role, first_name, last_name, email) VALUES ('ADMIN', 'A', 'Admin', $1) RETURNING id"
    ids = [await writable.value(sql, each) for each in emails]
    # Those who were there before stand aside for the while.
    others = await writable.database.fetch("UPDATE users SET role = 'TEACHER' WHERE role = 'ADMIN' AND id <> ALL($1) RETURNING id", ids)
    update = "mutation ($input: UpdateUserInput!) { updateUser(input: $input) { userErrors { field code } } }"
    try:
        demotions = [
            writable.ask(update, email, input={"id": f"usr_{user.hex}", "version": 1, "role": "TEACHER"})
            for email, user in zip(emails, ids[::-1], strict=True)
        ]
        answers = await all_at_once(writable, "SELECT FROM users WHERE id = ANY($1) FOR UPDATE", ids, requests=demotions)
        outcomes = [each.codes or codes(each.data["updateUser"]) for each in answers]
        # Whoever comes second is the last one, or, when both waited for each other, no administrator any more.
        assert outcomes.count([]) == 1
        assert all(each in ([], ["FORBIDDEN"], [("role", "LAST_ADMINISTRATOR")]) for each in outcomes)
        assert await writable.value("SELECT count(*) FROM users WHERE role = 'ADMIN' AND is_active") == 1
    finally:
        await writable.database.execute("UPDATE users SET role = 'ADMIN' WHERE id = ANY($1)", [each["id"] for each in others])
