"""Tests attendance summaries: the SQL statement agrees with the rules, for students, classes and the school."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest

from rules.attendance import day_value, rate

FIELDS = """days present absent late leftEarly partial absences excusedAbsences unexcusedAbsences excusedLate minutesLate dayValues rate"""
SPAN = {"from": "2025-09-01", "to": "2026-03-31"}
MARKS = """SELECT a.student_id, a.class_id, a.subject_id, a.date, a.status, a.excused, a.minutes_late, a.minutes_present,
        s.full_day_minutes FROM attendance a, school_settings s WHERE a.date BETWEEN '2025-09-01' AND '2026-03-31'"""


def summed(marks):
    """Returns the expected result, computed from the marks in Python."""
    count = defaultdict(int)
    for mark in marks:
        count[mark["status"]] += 1
        count["excused"] += mark["status"] == "ABSENT" and mark["excused"]
        count["excusedLate"] += mark["status"] == "LATE" and mark["excused"]
        count["minutes"] += mark["minutes_late"] or 0
    worth = sum((day_value(mark["status"], mark["minutes_present"], mark["full_day_minutes"]) for mark in marks), Decimal(0))
    return {
        "days": len(marks), "present": count["PRESENT"], "absent": count["ABSENT"], "late": count["LATE"],
        "leftEarly": count["LEFT_EARLY"], "partial": count["PARTIAL"], "absences": count["ABSENT"],
        "excusedAbsences": count["excused"], "unexcusedAbsences": count["ABSENT"] - count["excused"], "excusedLate": count["excusedLate"],
        "minutesLate": count["minutes"], "dayValues": worth, "rate": rate(worth, len(marks)),
    }  # fmt: skip


def with_decimals(summary):
    return summary | {"dayValues": Decimal(summary["dayValues"]), "rate": None if summary["rate"] is None else Decimal(summary["rate"])}


async def marks_of(school, condition="true"):
    return await school.database.fetch(f"{MARKS} AND {condition}")


async def test_a_student_a_class_and_the_school_are_summed_up_as_the_rules_say(writable):
    await writable.database.execute(
        "UPDATE attendance SET minutes_present = CASE hashtext(id::text) & 1 WHEN 0 THEN (hashtext(id::text) & 1023) % 500 END WHERE status <> 'ABSENT'"
    )
    await writable.database.execute(
        "UPDATE attendance SET excused = true, excuse_reason = 'Train' WHERE status = 'LATE' AND hashtext(id::text) % 2 = 0"
    )
    marks = await marks_of(writable, "a.subject_id IS NULL")
    assert len({(mark["status"], mark["minutes_present"] is None) for mark in marks}) >= 8, "every kind of mark is there"
    query = f"""query ($from: Date!, $to: Date!) {{
        attendanceSummary(fromDate: $from, toDate: $to) {{ {FIELDS} }}
        students(first: 40) {{ nodes {{ id attendanceSummary(fromDate: $from, toDate: $to) {{ {FIELDS} }} }} }}
        classes(first: 40) {{ nodes {{ id attendanceSummary(fromDate: $from, toDate: $to) {{ {FIELDS} }} }} }} }}"""
    answer = await writable.ask(query, **SPAN)
    assert not answer.errors
    assert answer.statements == 5, "the school, two lists, one statement for all students and one for all classes"
    assert with_decimals(answer.data["attendanceSummary"]) == summed(marks)
    for nodes, column in ((answer.data["students"]["nodes"], "student_id"), (answer.data["classes"]["nodes"], "class_id")):
        some = 0
        for node in nodes:
            own = [mark for mark in marks if mark[column].hex == node["id"].split("_")[1]]
            some += bool(own)
            assert (node["attendanceSummary"] and with_decimals(node["attendanceSummary"])) == (summed(own) if own else None)
        assert some


@pytest.mark.parametrize("grouping", ["DAY", "WEEK", "MONTH"])
async def test_whole_days_are_broken_down_by_the_calendar(writable, grouping):
    def group(day: date) -> tuple[date, date]:
        if grouping == "DAY":
            return day, day
        if grouping == "WEEK":
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=6)
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)

    query = f"""query ($from: Date!, $to: Date!) {{
        attendanceBreakdown(by: {grouping}, fromDate: $from, toDate: $to) {{ startDate endDate subject {{ id }} summary {{ {FIELDS} }} }}
        classes(first: 3) {{ nodes {{ id attendanceBreakdown(by: {grouping}, fromDate: $from, toDate: $to) {{ startDate endDate summary {{ {FIELDS} }} }} }} }} }}"""
    data = await writable.data(query, **SPAN)
    marks = await marks_of(writable, "a.subject_id IS NULL")
    parts = [
        (data["attendanceBreakdown"], marks),
        *(
            (node["attendanceBreakdown"], [mark for mark in marks if mark["class_id"].hex == node["id"].split("_")[1]])
            for node in data["classes"]["nodes"]
        ),
    ]
    for groups, own in parts:
        wanted = defaultdict(list)
        for mark in own:
            wanted[group(mark["date"])].append(mark)
        found = {
            (date.fromisoformat(each["startDate"]), date.fromisoformat(each["endDate"])): with_decimals(each["summary"]) for each in groups
        }
        assert found == {span: summed(some) for span, some in wanted.items()}
        assert list(found) == sorted(found)


async def test_subject_marks_are_broken_down_by_subject_and_are_no_whole_days(writable):
    query = f"""query ($from: Date!, $to: Date!) {{ students(first: 60) {{ nodes {{ id
        attendanceBreakdown(by: SUBJECT, fromDate: $from, toDate: $to) {{ startDate endDate subject {{ id }} summary {{ {FIELDS} }} }} }} }} }}"""
    nodes = (await writable.data(query, **SPAN))["students"]["nodes"]
    marks = await marks_of(writable, "a.subject_id IS NOT NULL")
    seen = 0
    for node in nodes:
        wanted = defaultdict(list)
        for mark in marks:
            if mark["student_id"].hex == node["id"].split("_")[1]:
                wanted[f"sub_{mark['subject_id'].hex}"].append(mark)
        seen += len(wanted)
        assert {each["subject"]["id"]: with_decimals(each["summary"]) for each in node["attendanceBreakdown"]} == {
            subject: summed(some) for subject, some in wanted.items()
        }
        assert all(each["startDate"] is None for each in node["attendanceBreakdown"])
    assert seen


async def test_excused_and_unexcused_make_up_all_absences(writable):
    data = await writable.data(
        "query ($from: Date!, $to: Date!) { students(first: 300) { nodes { attendanceSummary(fromDate: $from, toDate: $to) { absent absences excusedAbsences unexcusedAbsences } } } }",
        **SPAN,
    )
    summaries = [node["attendanceSummary"] for node in data["students"]["nodes"] if node["attendanceSummary"]]
    assert sum(each["excusedAbsences"] for each in summaries) > 0
    for each in summaries:
        assert each["absences"] == each["absent"] == each["excusedAbsences"] + each["unexcusedAbsences"]


async def test_a_span_that_cannot_be_is_a_clear_error(writable):
    for start, end in (("2026-03-02", "2026-03-01"), ("2020-01-01", "2026-01-01")):
        for field in (
            "attendanceSummary(fromDate: $from, toDate: $to) { days }",
            "attendanceBreakdown(by: DAY, fromDate: $from, toDate: $to) { startDate }",
        ):
            answer = await writable.ask(f"query ($from: Date!, $to: Date!) {{ {field} }}", **{"from": start, "to": end})
            assert answer.codes == ["BAD_USER_INPUT"]
            assert answer.errors[0]["extensions"]["problems"][0]["argument"] == "toDate"
