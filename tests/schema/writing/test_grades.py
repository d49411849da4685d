"""Tests assessments and their marks, with one test for each rule of the mark book."""

from decimal import Decimal
from uuid import uuid4

import pytest

from tests.schema.writing.assessment_builder import DAY, RECORD, TEACHER, make_assessment, marked, publish, record, run, stranger
from tests.schema.writing.class_builder import codes, make_classroom
from tests.schema.writing.lock_barrier import all_at_once


@pytest.fixture
async def room(writable):
    return await make_classroom(writable)


async def seen_by_student(school, student):
    """Returns the (score, state) of each grade that a student sees of their own."""
    email = await school.value("SELECT u.email FROM students s JOIN users u ON u.id = s.user_id WHERE s.id = $1", student[4:])
    if email is None:
        email = f"{uuid4().hex}@demo.school"
        await school.database.execute(
            "UPDATE users SET email = $2 WHERE id = (SELECT user_id FROM students WHERE id = $1)", student[4:], email
        )
    data = await school.data("{ grades { nodes { score state } } }", email)
    return [(each["score"], each["state"]) for each in data["grades"]["nodes"]]


async def traces(school, room):
    """Returns everything that a refused write could have changed in the class, and in the audit log."""
    return await school.database.fetchrow(
        "SELECT (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM idempotency_keys),"
        " (SELECT md5(string_agg(a::text, '|' ORDER BY a.id)) FROM assessments a WHERE a.class_id = $1),"
        " (SELECT md5(string_agg(g::text, '|' ORDER BY g.id)) FROM grades g WHERE g.class_id = $1)",
        room.id[4:],
    )


async def test_a_test_is_made_marked_published_and_then_seen_by_the_student(writable, room):
    made = await make_assessment(writable, room, maxScore="50")
    assert made["assessment"] | {"id": 0, "version": 0} == {
        "id": 0, "title": "A test", "maxScore": "50.000", "extraCredit": "0.000", "weight": "1.000", "assessmentDate": DAY, "isPublished": False,
        "version": 0, "semester": {"id": room.semester},
    }  # fmt: skip
    answer = await record(writable, made["assessment"]["id"], room, 40, "MISSING", "EXCUSED")
    assert codes(answer) == []
    assert [(each["change"], each["grade"]["state"], each["grade"]["percentage"], each["grade"]["letter"]) for each in answer["changes"]] == [
        ("CREATED", "SCORED", "80.000", "B"), ("CREATED", "MISSING", None, None), ("CREATED", "EXCUSED", None, None),
    ]  # fmt: skip
    assert await seen_by_student(writable, room.students[0]) == []
    await publish(writable, made["assessment"]["id"])
    assert await seen_by_student(writable, room.students[0]) == [("40.000", "SCORED")]
    again = await run(writable, "unpublishAssessment", "assessment { isPublished }", id=made["assessment"]["id"])
    assert again["assessment"] == {"isPublished": False}
    assert await seen_by_student(writable, room.students[0]) == []


async def test_marks_recorded_again_say_what_changed_and_the_audit_keeps_what_was(writable, room):
    test = await marked(writable, room, 40, 50, "MISSING")
    answer = await record(writable, test, room, 40, "60.5", {"score": "70", "comment": "Late"})
    assert [(each["change"], each["previousState"], each["previousScore"]) for each in answer["changes"]] == [
        ("UNCHANGED", "SCORED", "40.000"), ("UPDATED", "SCORED", "50.000"), ("UPDATED", "MISSING", None),
    ]  # fmt: skip
    assert [each["grade"]["version"] for each in answer["changes"]] == [1, 2, 2]
    old = await writable.value(
        "SELECT l.old_values FROM audit_logs l JOIN grades g ON g.id = l.record_id WHERE g.student_id = $1 AND l.action = 'UPDATE'"
        " AND l.old_values ? 'score'",
        room.students[1][4:],
    )
    assert old == {"score": 50, "percentage": 50, "letter": "F"}
    kept = await record(writable, test, room, None, None, 71)
    assert kept["changes"][0]["grade"]["comment"] == "Late"
    cleared = await record(writable, test, room, None, None, {"score": "71", "comment": None})
    assert (cleared["changes"][0]["change"], cleared["changes"][0]["grade"]["comment"]) == ("UPDATED", None)


async def test_missing_is_not_zero_and_excused_is_not_zero(writable, room):
    test = await marked(writable, room, 0, "MISSING", "EXCUSED")
    rows = await writable.database.fetch("SELECT state, score FROM grades WHERE assessment_id = $1 ORDER BY state", test[4:])
    assert [tuple(each) for each in rows] == [("EXCUSED", None), ("MISSING", None), ("SCORED", 0)]


async def test_every_wrong_entry_is_told_at_once(writable, room):
    made = await make_assessment(writable, room)
    other = await make_classroom(writable, 1)
    entries = [
        {"studentId": room.students[0], "state": "MISSING", "score": "3"},
        {"studentId": room.students[1]},
        {"studentId": room.students[2], "score": "100.5"},
        {"studentId": other.students[0], "score": "1.0001"},
        {"studentId": room.students[0], "score": "-1", "comment": "x" * 1001},
        {"studentId": room.students[1], "state": "SCORED", "score": "NaN"},
    ]
    given = {"assessmentId": made["assessment"]["id"], "entries": entries, "idempotencyKey": uuid4().hex}
    before = await writable.value("SELECT count(*) FROM grades")
    answer = await writable.ask(RECORD, TEACHER, input=given)
    found = [] if answer.errors else codes(answer.data["recordGrades"])
    expected = {
        ("entries.0.studentId", "TWICE"), ("entries.0.score", "INVALID"),
        ("entries.1.studentId", "TWICE"), ("entries.1.score", "REQUIRED"),
        ("entries.2.score", "SCORE_TOO_HIGH"),
        ("entries.3.studentId", "NOT_IN_CLASS"), ("entries.3.score", "INVALID"),
        ("entries.4.studentId", "TWICE"), ("entries.4.score", "INVALID"), ("entries.4.comment", "INVALID"),
        ("entries.5.studentId", "TWICE"), ("entries.5.score", "INVALID"),
    }  # fmt: skip
    if answer.errors:  # the scalar refuses what is no number
        assert answer.codes == ["BAD_USER_INPUT"]
        given["entries"] = entries[:5]
        found = codes((await writable.data(RECORD, TEACHER, input=given))["recordGrades"])
        expected -= {("entries.5.studentId", "TWICE"), ("entries.5.score", "INVALID"), ("entries.1.studentId", "TWICE")}
    assert set(found) == expected
    assert await writable.value("SELECT count(*) FROM grades") == before


async def test_a_score_above_the_maximum_is_a_slip_unless_there_is_extra_credit(writable, room):
    test = await marked(writable, room, 100)
    assert codes(await record(writable, test, room, 101)) == [("entries.0.score", "SCORE_TOO_HIGH")]
    version = await writable.value("SELECT version FROM assessments WHERE id = $1", test[4:])
    assert codes(await run(writable, "updateAssessment", "assessment { id }", id=test, version=version, extraCredit="5")) == []
    answer = await record(writable, test, room, 105)
    assert (answer["changes"][0]["grade"]["percentage"], answer["changes"][0]["grade"]["letter"]) == ("105.000", "A")
    assert codes(await record(writable, test, room, "105.5")) == [("entries.0.score", "SCORE_TOO_HIGH")]
    lower = await run(writable, "updateAssessment", "assessment { id }", id=test, version=version + 1, extraCredit="4")
    assert codes(lower) == [("maxScore", "SCORE_TOO_HIGH")]


async def test_a_raw_score_is_never_overwritten_by_a_rounded_one(writable, room):
    test = await marked(writable, room, "79.499", maxScore="99.99")
    row = await writable.database.fetchrow("SELECT score, percentage, letter FROM grades WHERE assessment_id = $1", test[4:])
    assert tuple(row) == (Decimal("79.499"), Decimal("79.507"), "B")
    assert codes(await record(writable, test, room, "79.4991")) == [("entries.0.score", "INVALID")]


async def test_a_changed_maximum_changes_percentages_and_letters_and_no_score(writable, room):
    test = await marked(writable, room, 40, maxScore="50")
    version = await writable.value("SELECT version FROM assessments WHERE id = $1", test[4:])
    assert codes(await run(writable, "updateAssessment", "assessment { id }", id=test, version=version, maxScore="80")) == []
    row = await writable.database.fetchrow("SELECT score, percentage, letter FROM grades WHERE assessment_id = $1", test[4:])
    assert tuple(row) == (40, 50, "F")
    low = await run(writable, "updateAssessment", "assessment { id }", id=test, version=version + 1, maxScore="30")
    assert codes(low) == [("maxScore", "SCORE_TOO_HIGH")]


async def test_a_student_must_have_been_in_the_class_on_the_assessments_day(writable, room):
    """Checks a class whose students joined it on 2 February."""
    early = await make_assessment(writable, room, assessmentDate="2026-02-01")
    assert codes(await record(writable, early["assessment"]["id"], room, 50)) == [("entries.0.studentId", "NOT_IN_CLASS")]
    test = await marked(writable, room, 50)
    moved = await run(writable, "updateAssessment", "assessment { id }", id=test, version=2, assessmentDate="2026-02-01")
    assert codes(moved) == [("assessmentDate", "NOT_IN_CLASS")]


async def test_an_assessment_is_of_what_the_class_is_taught_in_a_semester_that_has_its_day(writable, room):
    assert codes(await make_assessment(writable, room, assessmentDate="2027-03-10")) == [("assessmentDate", "OUTSIDE_SEMESTER")]
    first = await make_assessment(writable, room, "admin@demo.school", assessmentDate="2025-10-06")
    assert codes(first) == [("subjectId", "NOT_TAUGHT"), (None, "WINDOW_CLOSED")]
    test = await marked(writable, room, 50)
    moved = await run(writable, "updateAssessment", "assessment { id }", id=test, version=2, assessmentDate="2025-10-06")
    assert ("assessmentDate", "OUTSIDE_SEMESTER") in codes(moved)


async def test_everything_wrong_with_an_assessment_is_told_at_once(writable, room):
    answer = await make_assessment(writable, room, assessmentDate="2027-03-10", title=" ", maxScore="-1", weight="0.0001", extraCredit="-3")
    assert set(codes(answer)) == {
        ("assessmentDate", "OUTSIDE_SEMESTER"), ("title", "INVALID"), ("maxScore", "INVALID"), ("weight", "INVALID"), ("extraCredit", "INVALID"),
    }  # fmt: skip


async def test_a_stale_version_answers_conflict_with_the_assessment_as_it_is(writable, room):
    test = (await make_assessment(writable, room))["assessment"]["id"]
    assert codes(await run(writable, "updateAssessment", "assessment { id }", id=test, version=1, title="One")) == []
    late = await run(writable, "updateAssessment", "assessment { title version }", id=test, version=1, title="Two")
    assert codes(late) == [("version", "CONFLICT")]
    assert late["assessment"] == {"title": "One", "version": 2}


async def test_an_assessment_and_marks_made_offline_and_sent_twice_are_there_once(writable, room):
    own, mark = str(uuid4()), str(uuid4())
    first = await make_assessment(writable, room, clientId=own)
    assert first == await make_assessment(writable, room, clientId=own)
    assert codes(await make_assessment(writable, room, clientId=own, title="Other")) == [("clientId", "TAKEN")]
    test = first["assessment"]["id"]
    for change in ("CREATED", "UNCHANGED"):
        answer = await record(writable, test, room, {"score": "5", "clientId": mark})
        assert [(each["change"], each["grade"]["id"]) for each in answer["changes"]] == [(change, f"gra_{mark.replace('-', '')}")]
    assert codes(await record(writable, test, room, None, {"score": "5", "clientId": mark})) == [("entries.0.clientId", "TAKEN")]
    second = (await make_assessment(writable, room))["assessment"]["id"]
    assert codes(await record(writable, second, room, {"score": "5", "clientId": mark})) == [("entries.0.clientId", "TAKEN")]


async def test_the_same_key_records_once(writable, room):
    test = (await make_assessment(writable, room))["assessment"]["id"]
    first = await record(writable, test, room, 5, 6, key="once")
    await record(writable, test, room, 7)
    assert [each["change"] for each in (await record(writable, test, room, 5, 6, key="once"))["changes"]] == ["CREATED", "CREATED"]
    assert await writable.value("SELECT score FROM grades WHERE id = $1", first["changes"][0]["grade"]["id"][4:]) == 7
    assert codes(await record(writable, test, room, 5, key="once")) == [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]


async def test_an_assessment_with_marks_is_not_deleted(writable, room):
    empty = (await make_assessment(writable, room))["assessment"]["id"]
    assert (await run(writable, "deleteAssessment", "deletedId", id=empty))["deletedId"] == empty
    test = await marked(writable, room, 5)
    assert codes(await run(writable, "deleteAssessment", "deletedId", id=test)) == [("id", "IN_USE")]


async def test_only_the_subjects_teacher_in_that_class_and_semester_writes_marks(writable, room):
    """Checks that another class's teacher does not even see it, and that the homeroom teacher sees it but may not write."""
    test = await marked(writable, room, 50, published=False)
    other = await stranger(writable, room)
    own = await writable.database.fetchrow(
        "SELECT t.id, u.email FROM teachers t JOIN users u ON u.id = t.user_id WHERE t.is_active AND u.email NOT IN ($1, $2) LIMIT 1",
        TEACHER,
        other,
    )
    await writable.database.execute("UPDATE classes SET teacher_id = $2 WHERE id = $1", room.id[4:], own["id"])
    before = await traces(writable, room)
    place = {"classId": room.id, "subjectId": room.subject, "title": "X", "maxScore": "1", "assessmentDate": DAY}
    kind = await writable.id("aty", "SELECT id FROM assessment_types LIMIT 1")
    inputs = {
        "createAssessment": place | {"assessmentTypeId": kind},
        "updateAssessment": {"id": test, "version": 1, "title": "X"},
        "publishAssessment": {"id": test},
        "unpublishAssessment": {"id": test},
        "deleteAssessment": {"id": test},
        "recordGrades": {"assessmentId": test, "entries": [{"studentId": room.students[0], "score": "1"}], "idempotencyKey": "k"},
    }
    for viewer, expected in ((other, "NOT_FOUND"), (own["email"], "FORBIDDEN")):
        for name, given in inputs.items():
            kind = f"{name[0].upper()}{name[1:]}Input"
            answer = await writable.ask(
                f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code }} }} }}", viewer, input=given
            )
            found = answer.codes or [each["code"] for each in answer.data[name]["userErrors"]]
            assert found == ["FORBIDDEN" if name == "createAssessment" else expected], (viewer, name)
    assert await traces(writable, room) == before
    assert codes(await record(writable, test, room, 60, viewer="admin@demo.school")) == []


async def test_an_entry_made_from_a_version_that_has_changed_is_refused_and_nothing_is_written(writable, room):
    test = await marked(writable, room, 50)
    await record(writable, test, room, 60)
    stale = await record(writable, test, room, {"score": "70", "version": 1}, {"score": "70", "version": 0})
    assert codes(stale) == [("entries.0.version", "CONFLICT")]
    assert await writable.value("SELECT count(*) FROM grades WHERE assessment_id = $1 AND score = 60", test[4:]) == 1
    assert codes(await record(writable, test, room, {"score": "70", "version": 2}, {"score": "70", "version": 0})) == []


async def test_two_teachers_who_record_at_once_lose_nothing(writable):
    """Checks that the last write wins, and that the audit log has every mark."""
    room = await make_classroom(writable, 5)
    test = (await make_assessment(writable, room))["assessment"]["id"]
    records = [record(writable, test, room, *[n] * 5, viewer=(TEACHER, "admin@demo.school")[n % 2]) for n in range(12)]
    hold = "SELECT FROM assessments WHERE id = $1::uuid FOR NO KEY UPDATE"
    answers = await all_at_once(writable, hold, test[4:], requests=records)
    assert all(codes(each) == [] for each in answers)
    rows = await writable.database.fetch("SELECT id, score, version FROM grades WHERE assessment_id = $1", test[4:])
    assert len(rows) == 5
    assert len({each["score"] for each in rows}) == 1
    for row in rows:
        old = await writable.database.fetch(
            "SELECT (old_values->>'score')::numeric AS score FROM audit_logs WHERE record_id = $1 AND action = 'UPDATE'", row["id"]
        )
        assert {each["score"] for each in old} | {row["score"]} == set(range(12))
        assert row["version"] == 12
    kinds = [each["change"] for answer in answers for each in answer["changes"]]
    assert (kinds.count("CREATED"), kinds.count("UPDATED")) == (5, 55)


async def test_a_whole_class_is_recorded_in_one_statement(writable):
    room = await make_classroom(writable, 25)
    test = (await make_assessment(writable, room))["assessment"]["id"]
    entries = [{"studentId": each, "score": "1"} for each in room.students]
    one = await writable.ask(RECORD, TEACHER, input={"assessmentId": test, "entries": entries[:1], "idempotencyKey": "one"})
    all_ = await writable.ask(RECORD, TEACHER, input={"assessmentId": test, "entries": entries, "idempotencyKey": "all"})
    assert (one.errors, all_.errors) == ([], [])
    assert one.statements == all_.statements
