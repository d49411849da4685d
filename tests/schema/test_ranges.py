"""Every range of the schema has the ends that its name states: days include both ends, moments include the beginning and exclude the end."""

from datetime import date, datetime, timedelta

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from tests.graphql_school import SCHEMA

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
# Filters by a column: the list, and where PostgreSQL has the value.
COLUMNS = {
    "AssessmentFilter.fromDate": ("assessments", "assessments", "assessment_date"),
    "AssessmentFilter.toDate": ("assessments", "assessments", "assessment_date"),
    "AttendanceFilter.fromDate": ("attendance", "attendance", "date"),
    "AttendanceFilter.on": ("attendance", "attendance", "date"),
    "AttendanceFilter.toDate": ("attendance", "attendance", "date"),
    "AuditEntryFilter.before": ("auditLog", "audit_logs", "created_at"),
    "AuditEntryFilter.since": ("auditLog", "audit_logs", "created_at"),
    "ChargeFilter.dueFrom": ("charges", "payments", "due_date"),
    "ChargeFilter.dueTo": ("charges", "payments", "due_date"),
    "ChargeFilter.lastTransactionBefore": ("charges", "payments", "payment_date"),
    "ChargeFilter.lastTransactionSince": ("charges", "payments", "payment_date"),
    "GradeFilter.fromDate": ("grades", "grades", "assessment_date"),
    "GradeFilter.toDate": ("grades", "grades", "assessment_date"),
    "RegisterFilter.fromDate": ("registers", "registers", "date"),
    "RegisterFilter.on": ("registers", "registers", "date"),
    "RegisterFilter.toDate": ("registers", "registers", "date"),
    "StudentFilter.enrolledFrom": ("students", "students", "enrollment_date"),
    "StudentFilter.enrolledTo": ("students", "students", "enrollment_date"),
    "TeacherFilter.joinedFrom": ("teachers", "teachers", "joining_date"),
    "TeacherFilter.joinedTo": ("teachers", "teachers", "joining_date"),
}
# Filters of objects that last some days: where the list is, and an object of it with its first and last day.
_YEAR = "SELECT 'year_' || replace(id::text, '-', '') AS parent, 'year_' || replace(id::text, '-', '') AS id, start_date AS first, end_date AS last FROM academic_years"
SPANS = {
    "AcademicYearFilter.on": ("query ($day: Date!, $id: ID!) { list: academicYears(filter: {on: $day}) { nodes { id } } node(id: $id) { id } }", _YEAR),
    "SemesterFilter.on": (
        "query ($day: Date!, $id: ID!) { list: semesters(filter: {on: $day}) { nodes { id } } node(id: $id) { id } }",
        "SELECT NULL AS parent, 'sem_' || replace(id::text, '-', '') AS id, start_date AS first, end_date AS last FROM semesters",
    ),
    "ClassMembershipFilter.on": (
        "query ($day: Date!, $id: ID!) { node(id: $id) { ... on Student { list: classHistory(filter: {on: $day}) { nodes { id } } } } }",
        ("SELECT 'stu_' || replace(student_id::text, '-', '') AS parent, 'mem_' || replace(id::text, '-', '') AS id, from_date AS first, to_date AS last"
        " FROM student_class_history WHERE to_date IS NOT NULL"),
    ),
    "ClassSubjectFilter.on": (
        "query ($day: Date!, $id: ID!) { node(id: $id) { ... on Class { list: classSubjects(first: 100, filter: {on: $day}) { nodes { id } } } } }",
        ("SELECT 'cls_' || replace(l.class_id::text, '-', '') AS parent, 'csu_' || replace(l.id::text, '-', '') AS id, m.start_date AS first, m.end_date AS last"
        " FROM class_subjects l JOIN semesters m ON m.id = l.semester_id"),
    ),
    "HolidayFilter.from": (
        "query ($day: Date!, $id: ID!) { node(id: $id) { ... on AcademicYear { list: holidays(filter: {from: $day}) { nodes { id } } } } }",
        ("SELECT 'year_' || replace(academic_year_id::text, '-', '') AS parent, 'hol_' || replace(id::text, '-', '') AS id, start_date AS first, end_date AS last"
        " FROM holidays"),
    ),
}  # fmt: skip
# Totals and lists of marks over a span, and how many marks they count.
_SUMMARY, _BREAKDOWN = (
    "attendanceSummary(fromDate: $from, toDate: $to) { days }",
    "attendanceBreakdown(by: DAY, fromDate: $from, toDate: $to) { summary { days } }",
)
MARKS = {
    "Query.attendanceSummary": (f"query ($from: Date!, $to: Date!) {{ {_SUMMARY} }}", None),
    "Query.attendanceBreakdown": (f"query ($from: Date!, $to: Date!) {{ {_BREAKDOWN} }}", None),
    "Class.attendanceSummary": (f"query ($from: Date!, $to: Date!, $id: ID!) {{ node(id: $id) {{ ... on Class {{ {_SUMMARY} }} }} }}", "class_id"),
    "Class.attendanceBreakdown": (f"query ($from: Date!, $to: Date!, $id: ID!) {{ node(id: $id) {{ ... on Class {{ {_BREAKDOWN} }} }} }}", "class_id"),
    "Student.attendanceSummary": (f"query ($from: Date!, $to: Date!, $id: ID!) {{ node(id: $id) {{ ... on Student {{ {_SUMMARY} }} }} }}", "student_id"),
    "Student.attendanceBreakdown": (f"query ($from: Date!, $to: Date!, $id: ID!) {{ node(id: $id) {{ ... on Student {{ {_BREAKDOWN} }} }} }}", "student_id"),
    "StudentAsOf.attendanceSummary": (
        f"query ($from: Date!, $to: Date!, $id: ID!, $at: DateTime!) {{ node(id: $id) {{ ... on Student {{ asOf(at: $at) {{ {_SUMMARY} }} }} }} }}", "student_id",
    ),
    "StudentAsOf.attendance": (
        ("query ($from: Date!, $to: Date!, $id: ID!, $at: DateTime!) { node(id: $id) { ... on Student { asOf(at: $at) {"
        " attendance(fromDate: $from, toDate: $to) { date subject { id } } } } } }"), "student_id",
    ),
}  # fmt: skip
# One day or one moment, and no range; and statements, which have a test of their own below.
NO_RANGES = {"Query.classesWithoutRegister.date", "Student.asOf.at"}
STATEMENTS = {"Student.statements.fromDate", "Student.statements.toDate"}


def _dated():
    """Every argument and every field of a filter that takes a day or a moment."""
    for name, kind in SCHEMA._schema.type_map.items():
        if isinstance(kind, GraphQLInputObjectType) and name.endswith("Filter"):
            yield from (f"{name}.{field}" for field, each in kind.fields.items() if get_named_type(each.type).name in ("Date", "DateTime"))
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            for field, each in kind.fields.items():
                yield from (
                    f"{name}.{field}.{arg}" for arg, one in each.args.items() if get_named_type(one.type).name in ("Date", "DateTime")
                )


def test_every_range_of_the_schema_is_tested_here():
    marks = {f"{field}.{end}" for field in MARKS for end in ("fromDate", "toDate")}
    assert set(_dated()) == {*COLUMNS, *SPANS, *marks, *STATEMENTS, *NO_RANGES}, "say in this file where the new range begins and ends"


def test_days_and_moments_have_names_of_their_own():
    for coordinate in set(_dated()) - NO_RANGES:
        owner, *_, name = coordinate.split(".")
        kind = SCHEMA._schema.type_map[owner]
        given = kind.fields[coordinate.split(".")[1]]
        kind = get_named_type(given.args[name].type if coordinate.count(".") == 2 else given.type).name
        ends = ("from", "From", "fromDate", "To", "toDate", "on") if kind == "Date" else ("since", "Since", "before", "Before")
        assert name.endswith(ends), coordinate


@pytest.mark.parametrize("coordinate", COLUMNS)
async def test_a_filter_begins_and_ends_where_its_name_says(demo, coordinate):
    root, table, column = COLUMNS[coordinate]
    kind, name = coordinate.split(".")
    value, expected = await demo.database.fetchrow(
        f"SELECT {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT 1"
    )
    query = f"query ($filter: {kind}) {{ {root}(filter: $filter) {{ totalCount }} }}"

    async def count(moment: date | datetime) -> int:
        return int((await demo.data(query, filter={name: moment.isoformat()}))[root]["totalCount"])

    if name == "on":
        assert await count(value) == expected
    elif name.endswith(("From", "fromDate")):
        assert await count(value) - await count(value + DAY) == expected, "the first day is in it, the day before is not"
    elif name.endswith(("To", "toDate")):
        assert await count(value) - await count(value - DAY) == expected, "the last day is in it"
    elif name.endswith(("ince",)):
        assert await count(value) - await count(value + MICROSECOND) == expected, "the beginning is in it"
    else:
        assert await count(value + MICROSECOND) - await count(value) == expected, "the end is not in it"


@pytest.mark.parametrize("coordinate", SPANS)
async def test_an_object_that_lasts_some_days_is_listed_from_its_first_to_its_last(demo, coordinate):
    query, rows = SPANS[coordinate]
    row = await demo.database.fetchrow(f"{rows} ORDER BY 2 LIMIT 1")

    async def listed(day: date) -> bool:
        data = await demo.data(query, day=day.isoformat(), id=row["parent"] or row["id"])
        return row["id"] in {each["id"] for each in (data.get("list") or data["node"]["list"])["nodes"]}

    before = coordinate == "HolidayFilter.from"  # what has not begun yet is listed too
    assert [await listed(day) for day in (row["first"] - DAY, row["first"], row["last"], row["last"] + DAY)] == [before, True, True, False]


@pytest.mark.parametrize("field", MARKS)
async def test_a_span_of_marks_includes_both_of_its_days(demo, field):
    query, column = MARKS[field]
    student, class_id, last = await demo.database.fetchrow(
        "SELECT student_id, class_id, date FROM attendance a WHERE subject_id IS NULL AND date - 1 IN"
        " (SELECT b.date FROM attendance b WHERE b.subject_id IS NULL AND (b.student_id, b.class_id) = (a.student_id, a.class_id)) ORDER BY date DESC, id LIMIT 1"
    )
    variables = {"at": (await demo.value("SELECT clock_timestamp()")).isoformat()} if "$at" in query else {}
    if column:
        variables["id"] = f"stu_{student.hex}" if column == "student_id" else f"cls_{class_id.hex}"
    whose = f"{column} = '{student if column == 'student_id' else class_id}'" if column else "true"
    first = last - DAY
    for begin, end in ((first, last), (first, first), (last, last)):
        data = await demo.data(query, **variables, **{"from": begin.isoformat(), "to": end.isoformat()})
        expected = await demo.value(
            f"SELECT count(*) FROM attendance WHERE subject_id IS NULL AND {whose} AND date BETWEEN $1 AND $2", begin, end
        )
        assert _counted(data) == expected > 0, (begin, end)


def _counted(data) -> int:
    """The number of whole-day marks in an answer."""
    if isinstance(data, list):
        return sum(_counted(each) for each in data)
    if "days" in data:
        return int(data["days"])
    if "date" in data:
        return data["subject"] is None
    return sum(_counted(each) for each in data.values())


async def test_statements_include_the_first_and_the_last_day(demo):
    query = (
        "query ($id: ID!, $from: Date, $to: Date) { student(id: $id) { statements(fromDate: $from, toDate: $to) { entries { kind } } } }"
    )
    student, day, expected = await demo.database.fetchrow(
        "SELECT student_id, (created_at AT TIME ZONE (SELECT time_zone FROM school_settings))::date AS day, count(*) FROM payments"
        " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 1"
    )

    async def charged(first: date, last: date) -> int:
        data = await demo.data(query, id=f"stu_{student.hex}", **{"from": first.isoformat(), "to": last.isoformat()})
        return sum(each["kind"] == "CHARGE" for account in data["student"]["statements"] for each in account["entries"])

    assert await charged(day, day) == expected
    assert await charged(day, day + DAY) - await charged(day + DAY, day + DAY) == expected
    assert await charged(day - DAY, day) - await charged(day - DAY, day - DAY) == expected
