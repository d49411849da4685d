"""Tests registers and the office's corrections, with one test for each rule of attendance."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from tests.schema.writing.class_builder import codes, make_classroom, make_colleague
from tests.schema.writing.lock_barrier import all_at_once
from tests.writable_school import writable_school

SUBMIT = """mutation ($input: SubmitRegisterInput!) { submitRegister(input: $input) {
  register { id date submittedBy { name } } changes { change previousStatus student { id } attendance { status excused minutesLate source overruledMarks { status } } }
  notMarked { student { id } } userErrors { field code } } }"""
CORRECT = """mutation ($input: CorrectAttendanceInput!) { correctAttendance(input: $input) {
  attendance { id status excused excuseReason source version overruledMarks { status } } change previousStatus userErrors { field code } } }"""
TEACHER = "teacher@demo.school"
DAY = "2026-03-17"


@pytest.fixture
async def room(writable):
    return await make_classroom(writable)


async def submit(school, room, *statuses, viewer=TEACHER, date=DAY, key=None, **given):
    entries = [
        {"studentId": student, **({"status": status} if isinstance(status, str) else status)}
        for student, status in zip(room.students, statuses, strict=False)
        if status
    ]
    given = {"classId": room.id, "date": date, "entries": entries, "idempotencyKey": key or uuid4().hex, **given}
    return (await school.data(SUBMIT, viewer, input=given))["submitRegister"]


async def correct(school, student, status, viewer="admin@demo.school", **given):
    given = {"studentId": student, "date": DAY, "status": status, "idempotencyKey": uuid4().hex, **given}
    return (await school.data(CORRECT, viewer, input=given))["correctAttendance"]


async def test_a_class_is_marked_in_one_go_and_told_row_by_row(writable, room):
    first = await submit(writable, room, "PRESENT", "ABSENT", {"status": "LATE", "minutesLate": 12})
    assert codes(first) == []
    assert first["register"]["date"] == DAY
    assert [(each["change"], each["student"]["id"], each["attendance"]["status"]) for each in first["changes"]] == [
        ("CREATED", room.students[0], "PRESENT"), ("CREATED", room.students[1], "ABSENT"), ("CREATED", room.students[2], "LATE"),
    ]  # fmt: skip
    again = await submit(writable, room, "PRESENT", {"status": "ABSENT", "excused": True, "excuseReason": "Ill"}, "PRESENT")
    assert [(each["change"], each["previousStatus"]) for each in again["changes"]] == [
        ("UNCHANGED", "PRESENT"), ("UPDATED", "ABSENT"), ("UPDATED", "LATE"),
    ]  # fmt: skip
    assert again["changes"][1]["attendance"] | {"overruledMarks": []} == {
        "status": "ABSENT", "excused": True, "minutesLate": None, "source": "TEACHER", "overruledMarks": [],
    }  # fmt: skip
    assert first["register"]["id"] == again["register"]["id"]


async def test_marking_again_keeps_the_older_value_in_the_audit_log(writable, room):
    await submit(writable, room, "PRESENT")
    await submit(writable, room, {"status": "LATE", "minutesLate": 5})
    old = await writable.value(
        "SELECT l.old_values FROM audit_logs l JOIN attendance a ON a.id = l.record_id WHERE a.student_id = $1 AND l.action = 'UPDATE'",
        room.students[0][4:],
    )
    assert old == {"status": "PRESENT", "minutes_late": None}


async def test_silence_is_not_presence(writable, room):
    answer = await submit(writable, room, "PRESENT")
    assert {each["student"]["id"] for each in answer["notMarked"]} == set(room.students[1:])
    assert await writable.value("SELECT count(*) FROM attendance WHERE student_id = $1", room.students[1][4:]) == 0


async def test_registers_not_taken_lists_what_is_missing_to_whom_it_concerns(writable, room):
    asked = "query ($date: Date!) { classesWithoutRegister(date: $date) { nodes { id } totalCount } }"

    async def missing(viewer, date=DAY):
        data = await writable.data(asked, viewer, date=date)
        return {each["id"] for each in data["classesWithoutRegister"]["nodes"]}

    assert room.id in await missing(TEACHER)
    assert room.id in await missing("admin@demo.school")
    await submit(writable, room, "PRESENT")
    assert room.id not in await missing(TEACHER)
    assert room.id not in await missing("admin@demo.school")
    assert await missing("admin@demo.school", "2026-03-15") == set()  # a Sunday
    assert await missing("admin@demo.school", "2026-03-19") == set()  # tomorrow: nothing is missing yet
    assert room.id not in await missing("admin@demo.school", "2026-01-20")  # nobody was in it yet
    own = await writable.value(
        "SELECT count(*) FROM classes c JOIN teachers t ON t.id = c.teacher_id JOIN users u ON u.id = t.user_id WHERE u.email = $1", TEACHER
    )
    assert own >= 1
    for email in ("student@demo.school", "guardian@demo.school", "bursar@demo.school"):
        assert (await writable.ask(asked, email, date=DAY)).codes == ["FORBIDDEN"]


async def test_a_date_outside_the_year_a_holiday_a_future_date_and_a_day_without_school_are_refused(writable, room):
    assert ("date", "OUTSIDE_YEAR") in codes(await submit(writable, room, "PRESENT", date="2024-03-18", viewer="admin@demo.school"))
    assert ("date", "IN_FUTURE") in codes(await submit(writable, room, "PRESENT", date="2026-03-19"))
    assert ("date", "NO_SCHOOL_DAY") in codes(await submit(writable, room, "PRESENT", date="2026-03-15"))
    holiday = await writable.value(
        "SELECT h.start_date::text FROM holidays h JOIN academic_years y ON y.id = h.academic_year_id WHERE y.is_current AND h.start_date < '2026-03-18'"
        " AND h.end_date >= '2026-02-02' LIMIT 1"
    )
    if holiday is None:
        holiday = "2026-02-10"
        await writable.database.execute(
            "INSERT INTO holidays (academic_year_id, name, start_date, end_date) SELECT id, 'Snow', '2026-02-10', '2026-02-10' FROM academic_years WHERE is_current"
        )
    assert ("date", "HOLIDAY") in codes(await submit(writable, room, "PRESENT", date=holiday))


async def test_today_is_decided_by_the_schools_clock(writable, room):
    """Checks this at a quarter past ten on the 18th at the school, when it is still the 17th in Honolulu."""
    assert codes(await submit(writable, room, "PRESENT", date="2026-03-18")) == []
    zone = await writable.value("SELECT time_zone FROM school_settings")
    await writable.database.execute("UPDATE school_settings SET time_zone = 'Pacific/Honolulu'")
    try:
        assert codes(await submit(writable, room, "PRESENT", date="2026-03-18")) == [("date", "IN_FUTURE")]
    finally:
        await writable.database.execute("UPDATE school_settings SET time_zone = $1", zone)


async def test_a_student_not_in_that_class_on_that_date_is_refused(writable, room):
    other = await make_classroom(writable, 1)
    answer = await submit(writable, room, "PRESENT", entries=[{"studentId": other.students[0], "status": "PRESENT"}])
    assert codes(answer) == [("entries.0.studentId", "NOT_IN_CLASS")]
    early = await submit(writable, room, "PRESENT", date="2026-01-30", viewer="admin@demo.school")
    assert codes(early) == [("entries.0.studentId", "NOT_IN_CLASS")]
    assert await writable.value("SELECT count(*) FROM registers WHERE class_id = $1", room.id[4:]) == 0


async def test_every_wrong_entry_is_told_at_once(writable, room):
    answer = await submit(
        writable,
        room,
        entries=[
            {"studentId": room.students[0], "status": "PRESENT", "excused": True, "minutesLate": 3},
            {"studentId": room.students[1], "status": "LATE", "minutesLate": 5000, "excuseReason": "Bus"},
            {"studentId": room.students[2], "status": "ABSENT", "arrivalTime": "09:00:00"},
            {"studentId": room.students[2], "status": "ABSENT"},
        ],
        subjectId=await writable.id("sub", "SELECT id FROM subjects ORDER BY id LIMIT 1"),
    )
    assert set(codes(answer)) == {
        ("subjectId", "NOT_TAUGHT"),
        ("entries.0.excused", "INVALID"), ("entries.0.minutesLate", "INVALID"),
        ("entries.1.minutesLate", "INVALID"), ("entries.1.excuseReason", "INVALID"),
        ("entries.2.arrivalTime", "INVALID"), ("entries.2.studentId", "TWICE"), ("entries.3.studentId", "TWICE"),
    }  # fmt: skip


async def test_lateness_is_minutes_from_an_arrival_time(writable, room):
    assert (await writable.data("{ periods(first: 1) { nodes { startTime } } }"))["periods"]["nodes"] == [{"startTime": "08:00:00"}]
    answer = await submit(writable, room, {"status": "LATE", "arrivalTime": "08:17:00"})
    assert answer["changes"][0]["attendance"]["minutesLate"] == 17
    lesson = await submit(writable, room, {"status": "LATE", "arrivalTime": "10:15:00"}, subjectId=room.subject)
    assert lesson["changes"][0]["attendance"]["minutesLate"] is None, "when the lesson began nobody has said"


async def test_a_whole_day_mark_and_a_subjects_mark_stand_side_by_side(writable, room):
    assert codes(await submit(writable, room, "PRESENT")) == []
    answer = await submit(writable, room, "ABSENT", subjectId=room.subject)
    assert [each["change"] for each in answer["changes"]] == ["CREATED"]
    assert await writable.value("SELECT count(*) FROM attendance WHERE student_id = $1", room.students[0][4:]) == 2


async def test_the_offices_entry_stands_above_the_teachers_and_both_are_kept(writable, room):
    await submit(writable, room, "ABSENT", "ABSENT")
    answer = await correct(writable, room.students[0], "LATE", minutesLate=20)
    assert (answer["change"], answer["previousStatus"]) == ("UPDATED", "ABSENT")
    assert answer["attendance"]["source"] == "OFFICE"
    assert answer["attendance"]["overruledMarks"] == [{"status": "ABSENT"}]
    again = await submit(writable, room, "PRESENT", "PRESENT")
    assert [each["change"] for each in again["changes"]] == ["KEPT", "UPDATED"]
    assert again["changes"][0]["attendance"] == {
        "status": "LATE", "excused": False, "minutesLate": 20, "source": "OFFICE", "overruledMarks": [{"status": "ABSENT"}, {"status": "PRESENT"}],
    }  # fmt: skip


async def test_the_office_enters_who_called_in_ill_before_the_register_is_taken(writable, room):
    answer = await correct(writable, room.students[0], "ABSENT", excused=True, excuseReason="Flu")
    assert answer["change"] == "CREATED"
    again = await submit(writable, room, "ABSENT", "PRESENT", "PRESENT")
    assert [each["change"] for each in again["changes"]] == ["KEPT", "CREATED", "CREATED"]
    assert again["changes"][0]["attendance"]["excused"] is True


async def test_the_same_key_takes_a_register_once(writable, room):
    key = uuid4().hex
    first = await submit(writable, room, "PRESENT", "ABSENT", key=key)
    audit = await writable.value("SELECT count(*) FROM audit_logs")
    assert await submit(writable, room, "PRESENT", "ABSENT", key=key) == first
    assert await writable.value("SELECT count(*) FROM audit_logs") == audit
    other = await submit(writable, room, "PRESENT", "PRESENT", key=key)
    assert codes(other) == [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]


async def test_user_errors_are_not_saved_under_a_key(writable, room):
    key = uuid4().hex
    assert codes(await submit(writable, room, {"status": "PRESENT", "excused": True}, key=key)) == [("entries.0.excused", "INVALID")]
    assert codes(await submit(writable, room, "PRESENT", key=key)) == []


async def test_rows_made_offline_and_sent_twice_are_there_once(writable, room):
    own = str(uuid4())
    entry = {"studentId": room.students[0], "status": "PRESENT", "clientId": own}
    assert codes(await submit(writable, room, entries=[entry])) == []
    again = await submit(writable, room, entries=[entry])
    assert [each["change"] for each in again["changes"]] == ["UNCHANGED"]
    assert await writable.value("SELECT count(*) FROM attendance WHERE id = $1", own) == 1
    other = await submit(writable, room, entries=[entry | {"studentId": room.students[1]}])
    assert codes(other) == [("entries.0.clientId", "TAKEN")]


async def test_another_classs_teacher_takes_no_register_here(writable, room):
    stranger = await writable.value(
        "SELECT u.email FROM teachers t JOIN users u ON u.id = t.user_id WHERE t.is_active AND u.email IS NOT NULL AND u.email <> $1"
        " AND NOT EXISTS (SELECT FROM class_subjects cs WHERE cs.teacher_id = t.id AND cs.class_id = $2) LIMIT 1",
        TEACHER,
        room.id[4:],
    )
    before = await writable.value("SELECT count(*) FROM audit_logs")
    given = {"classId": room.id, "date": DAY, "entries": [{"studentId": room.students[0], "status": "PRESENT"}], "idempotencyKey": "s"}
    answer = await writable.ask(SUBMIT, stranger, input=given)
    assert answer.codes == ["FORBIDDEN"]
    assert await writable.value("SELECT count(*) FROM audit_logs") == before
    assert await writable.value("SELECT count(*) FROM attendance WHERE student_id = $1", room.students[0][4:]) == 0
    assert await writable.value("SELECT count(*) FROM idempotency_keys WHERE key = 's'") == 0


async def test_a_subjects_teacher_takes_that_subjects_register_and_no_others(writable, room):
    """Checks a teacher with one subject in the class, who may take its register and the whole day's, but not another subject's."""
    stranger = await writable.database.fetchrow(
        "SELECT t.id, u.email FROM teachers t JOIN users u ON u.id = t.user_id WHERE t.is_active AND u.email IS NOT NULL AND u.email <> $1"
        " ORDER BY t.id DESC LIMIT 1",
        TEACHER,
    )
    subject = await writable.database.fetchval("SELECT id FROM subjects WHERE id <> $1 ORDER BY id LIMIT 1", room.subject[4:])
    await writable.database.execute(
        "INSERT INTO class_subjects (class_id, subject_id, semester_id, teacher_id) VALUES ($1, $2, $3, $4)",
        room.id[4:],
        subject,
        room.semester[4:],
        stranger["id"],
    )
    assert codes(await submit(writable, room, "PRESENT", viewer=stranger["email"], subjectId=f"sub_{subject.hex}")) == []
    assert codes(await submit(writable, room, "PRESENT", viewer=stranger["email"])) == []
    given = {"classId": room.id, "date": DAY, "subjectId": room.subject, "entries": [], "idempotencyKey": "t"}
    assert (await writable.ask(SUBMIT, stranger["email"], input=given)).codes == ["FORBIDDEN"]


async def test_two_teachers_with_the_same_register_at_once_neither_lose_nor_double_a_row(writable):
    room = await make_classroom(writable, 12)
    statuses, teachers = ("PRESENT", "ABSENT"), (TEACHER, await make_colleague(writable, room))
    registers = [submit(writable, room, *[statuses[n % 2]] * 12, viewer=teachers[n % 2]) for n in range(20)]
    hold = "SELECT FROM students WHERE id = ANY($1::uuid[]) FOR NO KEY UPDATE"
    answers = await all_at_once(writable, hold, [each[4:] for each in room.students], requests=registers)
    assert all(codes(each) == [] for each in answers)
    marks = await writable.database.fetch("SELECT status, version FROM attendance WHERE class_id = $1", room.id[4:])
    assert len(marks) == 12
    assert len({each["status"] for each in marks}) == 1
    # Each row came once, and every change of it is in the log.
    changes = sum(each["change"] == "UPDATED" for answer in answers for each in answer["changes"])
    assert sum(each["version"] - 1 for each in marks) == changes
    assert await writable.value("SELECT count(*) FROM registers WHERE class_id = $1", room.id[4:]) == 1


OVERRULED = (
    "query ($id: ID!) { node(id: $id) { ... on Attendance { status overruledMarks { status arrivalTime minutesLate minutesPresent } } } }"
)


async def test_what_is_overruled_keeps_its_minutes_and_the_audit_knows_of_it(writable, room):
    await submit(writable, room, {"status": "LATE", "minutesLate": 5})
    answer = await correct(writable, room.students[0], "LATE", minutesLate=20)
    again = await submit(writable, room, {"status": "LATE", "arrivalTime": "09:40:00", "minutesLate": 30, "minutesPresent": 200})
    assert [each["change"] for each in again["changes"]] == ["KEPT"]
    mark = (await writable.data(OVERRULED, id=answer["attendance"]["id"]))["node"]
    assert mark["overruledMarks"] == [
        {"status": "LATE", "arrivalTime": None, "minutesLate": 5, "minutesPresent": None},
        {"status": "LATE", "arrivalTime": "09:40:00", "minutesLate": 30, "minutesPresent": 200},
    ]
    written = await writable.database.fetch(
        "SELECT l.user_id, l.request_id FROM audit_logs l JOIN overruled_marks o ON o.id = l.record_id"
        " JOIN attendance a ON a.id = o.attendance_id WHERE a.student_id = $1 AND l.table_name = 'overruled_marks'",
        room.students[0][4:],
    )
    assert len(written) == 2
    assert all(each["user_id"] and each["request_id"] for each in written)


async def test_the_offices_later_word_stands_above_its_earlier_one_and_above_every_teachers(writable, room):
    await correct(writable, room.students[0], "ABSENT")
    await submit(writable, room, "PRESENT")
    corrected = await correct(writable, room.students[0], "ABSENT", excused=True, excuseReason="Note")
    assert (corrected["change"], corrected["previousStatus"]) == ("UPDATED", "ABSENT")
    again = await submit(writable, room, "LATE")
    assert again["changes"][0]["attendance"]["status"] == "ABSENT"
    assert again["changes"][0]["attendance"]["overruledMarks"] == [{"status": "PRESENT"}, {"status": "LATE"}]
    same = await submit(writable, room, {"status": "ABSENT", "excused": True, "excuseReason": "Note"})
    assert [each["change"] for each in same["changes"]] == ["UNCHANGED"]
    # The office's own register is the office's word as well.
    office = await submit(writable, room, "PRESENT", viewer="admin@demo.school")
    assert office["changes"][0]["attendance"]["source"] == "OFFICE"
    assert [each["change"] for each in (await submit(writable, room, "ABSENT"))["changes"]] == ["KEPT"]


@pytest.mark.parametrize(
    ("now", "zone", "today"),
    [
        ("2026-03-17 23:30:00-04:00", "America/New_York", "2026-03-17"),  # tomorrow in UTC
        ("2026-03-18 00:10:00+01:00", "Europe/Berlin", "2026-03-18"),  # yesterday in UTC
        ("2026-03-29 22:30:00+00:00", "Europe/Berlin", "2026-03-30"),  # half past midnight, summer time since a day
        ("2026-03-30 00:30:00+01:00", "Europe/Berlin", "2026-03-30"),  # half past one in summer time
        ("2026-03-08 23:59:59-04:00", "America/New_York", "2026-03-08"),  # the day on which summer time begins
        ("2026-03-17 23:30:00+14:00", "Pacific/Kiritimati", "2026-03-17"),
    ],
)
async def test_a_day_is_a_day_of_the_schools_clock_around_midnight_and_when_summer_time_begins(databases, now, zone, today):
    async with writable_school(databases, now) as school:
        await school.database.execute("DELETE FROM holidays")
        await school.database.execute("UPDATE school_settings SET time_zone = $1, school_days = '{1,2,3,4,5,6,7}'", zone)
        assert str(await school.value("SELECT school_today()")) == today
        class_id = await school.id("cls", "SELECT class_id FROM student_class_history WHERE to_date IS NULL LIMIT 1")
        tomorrow = str(date.fromisoformat(today) + timedelta(days=1))
        given = {"classId": class_id, "entries": []}
        errors = [
            codes((await school.data(SUBMIT, input=given | {"date": day, "idempotencyKey": day}))["submitRegister"])
            for day in (today, tomorrow)
        ]
        assert errors == [[], [("date", "IN_FUTURE")]]
