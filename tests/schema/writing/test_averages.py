"""Tests averages and reports, computed from published marks and from posted grades."""

from decimal import Decimal

import pytest

from tests.schema.writing.assessment_builder import TEACHER, marked, open_window, stranger
from tests.schema.writing.class_builder import make_classroom
from tests.schema.writing.final_grade_builder import ADMIN, average, own_email, post


@pytest.fixture
async def room(writable):
    room = await make_classroom(writable)
    await open_window(writable, room.semester)
    return room


async def test_an_average_explains_itself(writable, room):
    await marked(writable, room, 79, title="Midterm")
    await marked(writable, room, 81, type="HOMEWORK", title="Sheet")
    await marked(writable, room, "EXCUSED", type="TEST", title="Vocabulary")
    got = await average(writable, room)
    assert (got["percentage"], Decimal(got["rounded"]), got["letter"], got["basis"]) == (Decimal("79.5"), 80, "B", "ALL_GRADES")
    assert [(each["label"], each["value"]) for each in got["explanation"]["steps"]] == [
        ("Exam", "79"), ("Homework", "81"), ("Excused", None), ("Average", "79.5"), ("Rounded", "80"), ("Letter", "B"), ("Points", "3"),
    ]  # fmt: skip
    assert got["explanation"]["steps"][0]["detail"] == "1 mark, weighs 3 of 4"
    assert len(got["explanation"]["policyVersion"]) == 12


async def test_what_a_student_sees_is_computed_from_published_marks_alone(writable, room):
    await marked(writable, room, 90)
    await marked(writable, room, 10, published=False)
    email = await own_email(writable, room, 0)
    own = await average(writable, room, viewer=email)
    assert (own["basis"], own["percentage"]) == ("PUBLISHED_GRADES", 90)
    teachers = await average(writable, room, viewer=TEACHER)
    assert (teachers["basis"], teachers["percentage"]) == ("CLASS_GRADES", 50)
    report = "query ($s: ID!, $m: ID!) { student(id: $s) { semesterReport(semesterId: $m) { gpa subjects { basis percentage explanation { steps { detail } } } } } }"
    data = await writable.data(report, email, s=room.students[0], m=room.semester)
    [subject] = data["student"]["semesterReport"]["subjects"]
    assert (subject["basis"], Decimal(subject["percentage"])) == ("PUBLISHED_GRADES", 90)
    assert data["student"]["semesterReport"]["gpa"] == "4.00"
    other = await own_email(writable, room, 1)
    assert (await writable.data("query ($s: ID!) { student(id: $s) { id } }", other, s=room.students[0])) == {"student": None}


async def test_an_average_without_marks_in_reach_is_null(writable, room):
    await marked(writable, room, 90, published=False)
    assert await average(writable, room, viewer=await own_email(writable, room, 0)) is None


async def test_missing_counts_as_zero_once_its_day_is_over(writable, room):
    await marked(writable, room, 80)
    await marked(writable, room, "MISSING", day="2026-03-18")
    assert (await average(writable, room))["percentage"] == 80
    await marked(writable, room, "MISSING", day="2026-03-17")
    assert (await average(writable, room))["percentage"] == 40


async def test_incomplete_leaves_the_average_and_marks_the_result(writable, room):
    await marked(writable, room, 80)
    await marked(writable, room, "INCOMPLETE")
    got = await average(writable, room)
    assert (got["percentage"], got["isIncomplete"]) == (80, True)


async def test_a_report_has_the_grade_point_average_and_the_rank_if_the_school_shows_it(writable, room):
    await marked(writable, room, 95, 85, 85)
    query = (
        "query ($c: ID!, $m: ID!) { class(id: $c) { semesterReports(semesterId: $m) { gpa rank rankedStudentCount isPosted student { id }"
        " subjects { basis letter finalGrade { number } } explanation { steps { label value detail } policyVersion } } } }"
    )

    async def reports(viewer=ADMIN):
        answer = await writable.ask(query, viewer, c=room.id, m=room.semester)
        assert not answer.errors
        return sorted(answer.data["class"]["semesterReports"], key=lambda each: room.students.index(each["student"]["id"]))

    before = await reports()
    assert [(each["gpa"], each["rank"], each["isPosted"]) for each in before] == [
        ("4.00", None, False),
        ("3.00", None, False),
        ("3.00", None, False),
    ]
    await post(writable, room)
    assert {each["rank"] for each in await reports()} == {None}
    await writable.database.execute("UPDATE school_settings SET shows_rank = true")
    try:
        after = await reports()
        assert [(each["rank"], each["rankedStudentCount"]) for each in after] == [(1, 3), (2, 3), (2, 3)]
        assert after[0]["subjects"] == [{"basis": "POSTED", "letter": "A", "finalGrade": {"number": 1}}]
        assert [each["label"] for each in after[0]["explanation"]["steps"]][-2:] == ["Grade point average", "Rank"]
        # A student has their own rank, and nothing of classmates.
        own = await reports(await own_email(writable, room, 1))
        assert [(each["student"]["id"], each["rank"], each["rankedStudentCount"]) for each in own] == [(room.students[1], 2, 3)]
    finally:
        await writable.database.execute("UPDATE school_settings SET shows_rank = false")


async def test_a_subject_of_another_teacher_is_in_the_report_when_it_is_posted_and_not_before(writable, room):
    """Checks that a teacher of another subject sees the class's final grades, but neither marks nor averages of colleagues."""
    email = await stranger(writable, room)
    other = await writable.value("SELECT id FROM subjects WHERE id <> $1 ORDER BY id LIMIT 1", room.subject[4:])
    await writable.database.execute(
        "INSERT INTO class_subjects (class_id, subject_id, semester_id, teacher_id) SELECT $1, $2, $3, t.id FROM teachers t JOIN users u ON u.id = t.user_id"
        " WHERE u.email = $4",
        room.id[4:], other, room.semester[4:], email,
    )  # fmt: skip
    await marked(writable, room, 95, 85, 85)
    query = "query ($s: ID!, $m: ID!) { student(id: $s) { semesterReport(semesterId: $m) { gpa subjects { basis percentage credits subject { id } } } } }"

    async def report():
        found = (await writable.data(query, email, s=room.students[0], m=room.semester))["student"]["semesterReport"]
        [subject] = [each for each in found["subjects"] if each["subject"]["id"] == room.subject]
        return found["gpa"], subject["basis"], subject["percentage"]

    assert await average(writable, room, viewer=email) is None
    assert await report() == (None, None, None)
    await post(writable, room)
    assert (await report())[:2] == ("4.00", "POSTED")
    assert await average(writable, room, viewer=email) is None
