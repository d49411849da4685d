"""Tests reports and averages of many students: the number of statements, and that the results are those of the rules."""

import pytest

REPORTS = """query ($c: ID!, $m: ID!) { class(id: $c) { semesterReports(semesterId: $m) {
  gpa rank isPosted student { name } subjects { basis letter rounded explanation { steps { label } policyVersion } subject { name } } } } }"""
SCREEN = """query ($m: ID!, $j: ID!, $k: ID!, $first: Int!) { students(first: $first) { nodes { name
  maths: subjectAverage(subjectId: $j, semesterId: $m) { percentage letter } english: subjectAverage(subjectId: $k, semesterId: $m) { percentage }
  semesterReport(semesterId: $m) { gpa subjects { letter } } finalGrades(first: 3) { nodes { letter explanation { policyVersion } } } } } }"""


async def places(demo):
    now = await demo.id("sem", "SELECT id FROM semesters WHERE is_current")
    past = await demo.id("sem", "SELECT id FROM semesters WHERE posting_closes_at <= '2026-03-18' ORDER BY start_date DESC LIMIT 1")
    return now, past


async def test_a_classs_reports_cost_the_same_statements_for_one_class_or_all(demo):
    now, past = await places(demo)
    room = await demo.id("cls", "SELECT id FROM classes WHERE is_active ORDER BY current_enrollment DESC, id LIMIT 1")
    for semester, posted in ((now, False), (past, True)):
        answer = await demo.ask(REPORTS, c=room, m=semester)
        assert not answer.errors
        reports = answer.data["class"]["semesterReports"]
        assert len(reports) >= 20
        assert all(each["isPosted"] is posted and each["gpa"] and len(each["subjects"]) == 8 for each in reports)
        # The class, who was in it, lessons, marks, final grades, the policy, students, subjects.
        assert answer.statements == 8
        everyone = "query ($m: ID!) { classes(first: 6, filter: {isActive: true}) { nodes { semesterReports(semesterId: $m) { gpa student { name } subjects { letter } } } } }"
        all_of_them = await demo.ask(everyone, m=semester)
        assert not all_of_them.errors
        assert all_of_them.statements == 7


@pytest.mark.parametrize("first", [1, 20, 50])
async def test_a_screen_of_averages_and_reports_costs_the_same_for_any_number_of_students(demo, first):
    now, _ = await places(demo)
    subjects = [await demo.id("sub", "SELECT id FROM subjects ORDER BY code OFFSET $1 LIMIT 1", n) for n in (0, 1)]
    answer = await demo.ask(SCREEN, m=now, j=subjects[0], k=subjects[1], first=first)
    assert not answer.errors
    assert len(answer.data["students"]["nodes"]) == first
    # Students, marks, the policy, lessons, final grades of the semester, pages of final grades.
    assert answer.statements == 6
