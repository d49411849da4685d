"""Where the current semester is meant, `semesterId` may be left out."""

import pytest

CURRENT = "SELECT id FROM semesters WHERE school_today() BETWEEN start_date AND end_date"
READS = """query ($s: ID!, $c: ID!, $j: ID!, $m: ID) {
  student(id: $s) { subjectAverage(subjectId: $j, semesterId: $m) { percentage credits } semesterReport(semesterId: $m) { semester { id } gpa } }
  class(id: $c) { semesterReports(semesterId: $m) { semester { id } student { id } gpa } } }"""
WITHOUT = READS.replace(", $m: ID)", ")").replace(", semesterId: $m", "").replace("(semesterId: $m)", "")


async def _ids(school, semester="semester_id"):
    row = await school.database.fetchrow(
        f"SELECT student_id, class_id, subject_id FROM grades WHERE semester_id = ({semester}) ORDER BY id LIMIT 1"
    )
    return {"s": f"stu_{row['student_id'].hex}", "c": f"cls_{row['class_id'].hex}", "j": f"sub_{row['subject_id'].hex}"}


async def test_without_a_semester_the_answer_is_that_of_the_one_that_contains_today(writable):
    ids, semester = await _ids(writable, CURRENT), f"sem_{(await writable.value(CURRENT)).hex}"
    named = await writable.ask(READS, **ids, m=semester)
    assert named.data["student"]["subjectAverage"]["percentage"] is not None
    assert {each["semester"]["id"] for each in named.data["class"]["semesterReports"]} == {semester}
    for answer in (await writable.ask(WITHOUT, **ids), await writable.ask(READS, **ids, m=None)):
        assert (answer.data, answer.errors) == (named.data, [])
        assert answer.statements <= named.statements + 1, "the current semester is read once"


@pytest.mark.parametrize("field", ["subjectAverage(subjectId: $j) { percentage }", "semesterReport { gpa }"])
async def test_between_semesters_the_answer_says_that_none_is_current(writable, field):
    ids = await _ids(writable)
    await writable.database.execute(
        "UPDATE semesters SET end_date = school_today() - 1 WHERE school_today() BETWEEN start_date AND end_date"
    )
    used = {name: ids[name] for name in ("s", "j") if f"${name}" in f"$s {field}"}
    declared = ", ".join(f"${name}: ID!" for name in used)
    answer = await writable.ask(f"query ({declared}) {{ student(id: $s) {{ id {field} }} }}", **used)
    assert answer.codes == ["NO_CURRENT_SEMESTER"]
    assert answer.errors[0]["extensions"]["argument"] == "semesterId"
    assert answer.data["student"] == {"id": ids["s"], field.split("(")[0].split(" ")[0]: None}
    reports = await writable.ask("query ($c: ID!) { class(id: $c) { semesterReports { gpa } } }", c=ids["c"])
    assert reports.codes == ["NO_CURRENT_SEMESTER"]
