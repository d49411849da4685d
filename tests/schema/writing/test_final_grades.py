"""Tests posting, locking and reopening final grades."""

import asyncio
from datetime import date
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from tests.schema.writing.assessment_builder import TEACHER, make_assessment, marked, open_window, record, run, stranger
from tests.schema.writing.class_builder import codes, make_classroom
from tests.schema.writing.final_grade_builder import ADMIN, average, final_grades, post, reopen
from tests.schema.writing.lock_barrier import concurrent_transaction


@pytest.fixture
async def room(writable):
    room = await make_classroom(writable)
    await open_window(writable, room.semester)
    return room


async def test_posting_freezes_a_record_that_says_how_it_came_about(writable, room):
    await marked(writable, room, 79, 95, "INCOMPLETE", title="Midterm")
    await marked(writable, room, 81, "MISSING", "EXCUSED", type="HOMEWORK", title="Sheet")
    live = await average(writable, room)
    answer = await post(writable, room)
    assert codes(answer) == []
    assert answer["postings"] == [{"number": 1, "studentCount": 3, "subject": {"id": room.subject}}]
    first, second, third = await final_grades(writable, room)
    assert (Decimal(first["percentage"]), first["rounded"], first["letter"], first["isCurrent"]) == (Decimal("79.5"), "80", "B", True)
    assert first["explanation"] == live["explanation"]
    assert (Decimal(second["percentage"]), second["letter"]) == (Decimal("71.25"), "C")
    assert "Sheet (2026-03-10) counts as zero" in [each["detail"] for each in second["explanation"]["steps"]]
    assert (third["percentage"], third["letter"], third["points"], third["isIncomplete"]) == (None, None, None, True)
    assert await writable.value("SELECT count(*) FROM audit_logs WHERE table_name = 'final_grades' AND user_id IS NOT NULL") >= 3


async def test_changing_the_scale_later_changes_no_posted_grade(writable, room):
    await marked(writable, room, 79.5, 60, 50)
    await post(writable, room)
    before = await final_grades(writable, room)
    strict = [{"lowerBound": "95", "letter": "A", "points": "4"}, {"lowerBound": "0", "letter": "F", "points": "0"}]
    old = await writable.value("SELECT id FROM grading_scales WHERE is_default")
    made = await run(writable, "createGradingScale", "gradingScale { id }", ADMIN, name=uuid4().hex, isDefault=True, bounds=strict)
    assert codes(made) == []
    try:
        assert (await average(writable, room))["letter"] == "F"
        assert await final_grades(writable, room) == before
        assert before[0]["letter"] == "B"
        assert (await average(writable, room))["explanation"]["policyVersion"] != before[0]["explanation"]["policyVersion"]
    finally:
        await writable.database.execute("UPDATE grading_scales SET is_default = false")
        await writable.database.execute("UPDATE grading_scales SET is_default = true WHERE id = $1", old)


async def test_without_a_default_scale_nothing_is_posted(writable, room):
    await marked(writable, room, 79.5, 60, 50)
    default = await writable.value("UPDATE grading_scales SET is_default = false WHERE is_default RETURNING id")
    try:
        assert codes(await post(writable, room)) == [(None, "NO_SCALE")]
        assert await final_grades(writable, room) == []
    finally:
        await writable.database.execute("UPDATE grading_scales SET is_default = true WHERE id = $1", default)


async def test_after_posting_marks_are_locked(writable, room):
    test = await marked(writable, room, 80, 70, 60)
    assert codes(await post(writable, room)) == []
    before = await writable.value("SELECT md5(string_agg(g::text, '|' ORDER BY id)) FROM grades g WHERE class_id = $1", room.id[4:])
    audit = await writable.value("SELECT count(*) FROM audit_logs")
    assert codes(await record(writable, test, room, 81)) == [(None, "POSTED")]
    assert codes(await record(writable, test, room, 81, viewer=ADMIN)) == [(None, "POSTED")]
    assert codes(await run(writable, "updateAssessment", "assessment { id }", id=test, version=2, title="X")) == [(None, "POSTED")]
    assert codes(await run(writable, "unpublishAssessment", "assessment { id }", id=test)) == [(None, "POSTED")]
    assert codes(await run(writable, "deleteAssessment", "deletedId", id=test)) == [(None, "POSTED")]
    assert codes(await make_assessment(writable, room)) == [(None, "POSTED")]
    assert codes(await post(writable, room)) == [("subjectId", "POSTED")]
    assert await writable.value("SELECT count(*) FROM audit_logs") == audit
    assert before == await writable.value("SELECT md5(string_agg(g::text, '|' ORDER BY id)) FROM grades g WHERE class_id = $1", room.id[4:])


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE grades SET score = 1 WHERE class_id = $1", "grades_posted_check"),
        ("DELETE FROM grades WHERE class_id = $1", "grades_posted_check"),
        (("INSERT INTO grades (student_id, assessment_id, state) SELECT s.id, a.id, 'MISSING' FROM students s, assessments a WHERE a.class_id = $1"
         " AND s.id NOT IN (SELECT student_id FROM grades WHERE class_id = $1) LIMIT 1"), "grades_posted_check"),
        ("UPDATE assessments SET weight = 2 WHERE class_id = $1", "assessments_posted_check"),
        ("UPDATE final_grades SET letter = 'A' WHERE class_id = $1", "final_grades_append_only"),
        ("DELETE FROM final_grades WHERE class_id = $1", "final_grades_append_only"),
        ("DELETE FROM grade_postings WHERE class_id = $1", "grade_postings_append_only"),
        (("INSERT INTO final_grades (posting_id, student_id, class_id, subject_id, semester_id, number, is_incomplete, credits, facts)"
         " SELECT id, (SELECT id FROM students LIMIT 1), class_id, subject_id, semester_id, 1, false, 1, '{}' FROM grade_postings WHERE class_id = $1"),
         "final_grades_with_posting_check"),
        (("INSERT INTO grade_postings (class_id, subject_id, semester_id, number, as_of, policy_version)"
         " SELECT class_id, subject_id, semester_id, 1, as_of, policy_version FROM grade_postings WHERE class_id = $1"), "grade_postings_posted_check"),
        ("DELETE FROM grading_policies WHERE version IN (SELECT policy_version FROM grade_postings WHERE class_id = $1)", "grading_policies_append_only"),
    ],
)  # fmt: skip
async def test_the_database_holds_the_lock_whoever_writes(writable, room, statement, constraint):
    await marked(writable, room, 80, 70, 60)
    await post(writable, room)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as broken:
        await writable.database.execute(statement, room.id[4:])
    assert broken.value.constraint_name == constraint


async def test_after_the_window_closes_marks_are_locked_for_everyone(writable, room):
    test = await marked(writable, room, 80, 70, 60)
    await writable.database.execute("UPDATE semesters SET posting_closes_at = '2026-03-18 10:00+01' WHERE id = $1", room.semester[4:])
    try:
        for viewer in (TEACHER, ADMIN):
            assert codes(await record(writable, test, room, 81, viewer=viewer)) == [(None, "WINDOW_CLOSED")]
            assert codes(await post(writable, room, viewer)) == [("subjectId", "WINDOW_CLOSED")]
        with pytest.raises(asyncpg.CheckViolationError, match="window_closed"):
            await writable.database.execute("UPDATE grades SET score = 1 WHERE assessment_id = $1", test[4:])
        assert codes(await reopen(writable, room)) == []
        assert codes(await record(writable, test, room, 81)) == []
        assert codes(await post(writable, room)) == []
        moved = await run(
            writable, "updateSemester", "semester { id }", ADMIN, id=room.semester, postingClosesAt="2026-07-01T10:00:00Z",
            version=await writable.value("SELECT version FROM semesters WHERE id = $1", room.semester[4:]),
        )  # fmt: skip
        assert codes(moved) == [("postingClosesAt", "WINDOW_CLOSED")]
    finally:
        async with writable.database.acquire() as connection:
            await connection.execute("ALTER TABLE semesters DISABLE TRIGGER semesters_window")
            await connection.execute("UPDATE semesters SET posting_closes_at = '2026-08-14' WHERE id = $1", room.semester[4:])
            await connection.execute("ALTER TABLE semesters ENABLE TRIGGER semesters_window")


async def test_grades_are_not_posted_before_the_window_opens(writable, room):
    await marked(writable, room, 80, 70, 60)
    await open_window(writable, room.semester, date(2026, 7, 1))
    assert codes(await post(writable, room)) == [("semesterId", "NOT_OPEN")]
    await open_window(writable, room.semester)


async def test_reopening_has_a_reason_and_an_end_and_posting_again_makes_a_new_version(writable, room):
    test = await marked(writable, room, 80, 70, 60)
    await post(writable, room)
    early = await final_grades(writable, room)
    wrong = await reopen(writable, room, reason=" ", until="2026-03-18T09:00:00Z")
    assert codes(wrong) == [("until", "IN_PAST"), ("reason", "INVALID")]
    assert codes(await record(writable, test, room, 91)) == [(None, "POSTED")]
    answer = await reopen(writable, room)
    assert (codes(answer), answer["reopenedCount"]) == ([], 1)
    assert codes(await reopen(writable, room)) == [("classId", "NOT_LOCKED")]
    assert codes(await record(writable, test, room, 91)) == []
    assert await final_grades(writable, room) == early
    assert (await post(writable, room))["postings"][0]["number"] == 2
    both = await final_grades(writable, room)
    assert [(each["number"], each["letter"], each["isCurrent"]) for each in both[:2]] == [(2, "A", True), (1, "B", False)]
    assert codes(await record(writable, test, room, 92)) == [(None, "POSTED")]
    row = await writable.database.fetchrow(
        "SELECT r.reason, l.user_id FROM grade_reopenings r JOIN audit_logs l ON l.record_id = r.id WHERE r.class_id = $1", room.id[4:]
    )
    assert row["reason"] == "A typing slip"
    assert row["user_id"] == await writable.value("SELECT id FROM users WHERE email = $1", ADMIN)


REOPENINGS = """query ($filter: GradeReopeningFilter) { gradeReopenings(first: 50, filter: $filter) { totalCount nodes {
  reason afterNumber openUntil isOpen postedAgainAt changedGradeCount class { id } subject { id } semester { id } reopenedBy { role } } } }"""


async def test_administrators_see_what_was_reopened_and_what_waits_to_be_posted_again(writable, room):
    async def reopenings(viewer=ADMIN, **given):
        answer = await writable.data(REOPENINGS, viewer, filter={"classIds": [room.id], **given})
        return answer["gradeReopenings"]["nodes"]

    async def end():
        async with writable.database.acquire() as connection:
            await connection.execute("ALTER TABLE grade_reopenings DISABLE TRIGGER USER")
            await connection.execute("UPDATE grade_reopenings SET open_until = '2026-03-18 10:14+01' WHERE class_id = $1", room.id[4:])
            await connection.execute("ALTER TABLE grade_reopenings ENABLE TRIGGER USER")

    test = await marked(writable, room, 80, 70, 60)
    await post(writable, room)
    assert await reopenings() == []
    await reopen(writable, room)
    [opened] = await reopenings(isOpen=True)
    assert opened | {"openUntil": ""} == {
        "reason": "A typing slip", "afterNumber": 1, "openUntil": "", "isOpen": True, "postedAgainAt": None, "changedGradeCount": 0,
        "class": {"id": room.id}, "subject": {"id": room.subject}, "semester": {"id": room.semester}, "reopenedBy": {"role": "ADMIN"},
    }  # fmt: skip
    assert await reopenings(awaitsPosting=True) == []
    await end()
    assert (await reopenings(isOpen=True), await reopenings(awaitsPosting=True)) == ([], []), "nothing was changed"
    await reopen(writable, room)
    await record(writable, test, room, 91, 92)
    assert await reopenings(awaitsPosting=True) == [], "it goes on"
    await end()
    assert [each["changedGradeCount"] for each in await reopenings(awaitsPosting=True)] == [2, 2]
    await reopen(writable, room)
    assert await reopenings(awaitsPosting=True) == [], "it is open again"
    assert codes(await post(writable, room)) == []
    assert await reopenings(awaitsPosting=True) == []
    listed = await reopenings()
    assert [(each["isOpen"], each["postedAgainAt"] is None, each["changedGradeCount"]) for each in listed] == [
        (False, False, 0), (False, False, 2), (False, False, 2),
    ]  # fmt: skip
    for viewer in (TEACHER, "bursar@demo.school", "student@demo.school", "guardian@demo.school"):
        assert (await writable.ask(REOPENINGS, viewer)).codes == ["FORBIDDEN"]
    assert (await writable.ask(REOPENINGS, None)).codes == ["UNAUTHENTICATED"]


async def test_a_reopening_ends_by_itself(writable, room):
    test = await marked(writable, room, 80, 70, 60)
    await post(writable, room)
    assert codes(await reopen(writable, room, until="2026-03-18T10:00:00Z")) == []
    lesson = "query ($c: ID!) { class(id: $c) { classSubjects { nodes { gradingStatus { lockReason postedAt reopenedUntil } } } } }"
    [node] = (await writable.data(lesson, c=room.id))["class"]["classSubjects"]["nodes"]
    assert (node["gradingStatus"]["lockReason"], node["gradingStatus"]["postedAt"] is None) == (None, False)
    assert node["gradingStatus"]["reopenedUntil"].startswith("2026-03-18T10:00:00")
    async with writable.database.acquire() as connection:
        await connection.execute("ALTER TABLE grade_reopenings DISABLE TRIGGER USER")
        await connection.execute("UPDATE grade_reopenings SET open_until = '2026-03-18 10:14+01' WHERE class_id = $1", room.id[4:])
        await connection.execute("ALTER TABLE grade_reopenings ENABLE TRIGGER USER")
    assert codes(await record(writable, test, room, 81)) == [(None, "POSTED")]
    [node] = (await writable.data(lesson, c=room.id))["class"]["classSubjects"]["nodes"]
    assert (node["gradingStatus"]["lockReason"], node["gradingStatus"]["reopenedUntil"]) == ("POSTED", None)


async def test_unpublished_marks_and_silence_stand_against_posting(writable, room):
    test = await marked(writable, room, 80, 70)
    hidden = await marked(writable, room, 80, 70, 60, published=False)
    answer = await post(writable, room)
    assert codes(answer) == [("classId", "NOT_RECORDED"), ("classId", "NOT_PUBLISHED")]
    assert await writable.value("SELECT count(*) FROM grade_postings WHERE class_id = $1", room.id[4:]) == 0
    assert codes(await post(writable, room, leaveOutNotRecorded=True)) == [("classId", "NOT_PUBLISHED")]
    assert codes(await run(writable, "publishAssessment", "assessment { id }", id=hidden)) == []
    assert codes(await record(writable, test, room, None, None, "EXCUSED")) == []
    assert codes(await post(writable, room)) == []


async def test_silence_may_be_left_out_when_the_teacher_says_so(writable, room):
    await marked(writable, room, 80, 70)
    assert codes(await post(writable, room, leaveOutNotRecorded=True)) == []
    assert [each["letter"] for each in await final_grades(writable, room)] == ["B", "C", None]


async def test_the_same_key_posts_once(writable, room):
    await marked(writable, room, 80, 70, 60)
    first = await post(writable, room, key="p")
    assert await post(writable, room, key="p") == first
    assert await writable.value("SELECT count(*) FROM grade_postings WHERE class_id = $1", room.id[4:]) == 1


async def test_who_does_not_teach_it_posts_nothing_and_leaves_no_trace(writable, room):
    await marked(writable, room, 80, 70, 60)
    before = await writable.database.fetchrow("SELECT (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM idempotency_keys)")
    given = {"classId": room.id, "semesterId": room.semester, "subjectId": room.subject, "idempotencyKey": "s"}
    query = "mutation ($input: PostFinalGradesInput!) { postFinalGrades(input: $input) { userErrors { code } } }"
    assert (await writable.ask(query, await stranger(writable, room), input=given)).codes == ["FORBIDDEN"]
    assert await writable.value("SELECT count(*) FROM grade_postings WHERE class_id = $1", room.id[4:]) == 0
    assert await writable.database.fetchrow("SELECT (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM idempotency_keys)") == before


async def test_a_teacher_posts_a_whole_class_only_when_all_of_it_is_theirs(writable, room):
    await marked(writable, room, 80, 70, 60)
    other = await writable.value("SELECT id FROM subjects WHERE id <> $1 LIMIT 1", room.subject[4:])
    await writable.database.execute(
        "INSERT INTO class_subjects (class_id, subject_id, semester_id) VALUES ($1, $2, $3)", room.id[4:], other, room.semester[4:]
    )
    given = {"classId": room.id, "semesterId": room.semester, "idempotencyKey": "w"}
    query = "mutation ($input: PostFinalGradesInput!) { postFinalGrades(input: $input) { postings { studentCount } userErrors { code } } }"
    assert (await writable.ask(query, TEACHER, input=given)).codes == ["FORBIDDEN"]
    assert (await writable.data(query, ADMIN, input=given))["postFinalGrades"]["postings"] == [{"studentCount": 3}, {"studentCount": 3}]


async def test_marks_recorded_while_grades_are_posted_are_in_them_or_refused(writable):
    """Checks that posted grades always agree with the marks, whichever comes first."""
    for _ in range(4):
        room = await make_classroom(writable)
        await open_window(writable, room.semester)
        test = await marked(writable, room, 80, 70, 60)
        requests = [
            *(record(writable, test, room, 81 + n) for n in range(3)),
            post(writable, room),
            *(record(writable, test, room, 91 + n) for n in range(3)),
        ]
        async with concurrent_transaction(writable) as (other, somebody_waits):
            await other.fetch("SELECT FROM class_subjects WHERE class_id = $1::uuid FOR UPDATE", room.id[4:])
            tasks = []
            for count, each in enumerate(requests, 1):
                # In this order they come: a posting that has read before it waits would miss what is recorded before it.
                tasks.append(asyncio.create_task(each))
                await somebody_waits(count)
        answers = await asyncio.gather(*tasks)
        assert codes(answers[3]) == []
        for n, answer in enumerate(answers):
            assert n == 3 or codes(answer) in ([], [(None, "POSTED")])
        frozen = (await final_grades(writable, room))[0]["percentage"]
        assert Decimal(frozen) == await writable.value(
            "SELECT score FROM grades WHERE assessment_id = $1 AND student_id = $2", test[4:], room.students[0][4:]
        )
