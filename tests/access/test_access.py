"""Tests who sees which rows, through every way in, against the table written by hand."""

import pytest
import pytest_asyncio

from config import Settings
from db.pool import Database
from tests.access.nouns import NOUNS
from tests.access.small_school import VIEWERS, build, uid
from tests.access.table import FIELDS, SEES
from tests.graphql_school import School

# noun: (tag of its ids, its root list, its root field by id)
ROOTS = {
    "students": ("stu", "students", "student"),
    "guardians": ("gua", "guardians", "guardian"),
    "guardian_students": ("gsh", None, None),
    "teachers": ("tea", "teachers", "teacher"),
    "classes": ("cls", "classes", "class"),
    "subjects": ("sub", "subjects", "subject"),
    "class_subjects": ("csu", None, None),
    "academic_years": ("year", "academicYears", "academicYear"),
    "semesters": ("sem", "semesters", "semester"),
    "holidays": ("hol", None, None),
    "periods": ("per", "periods", None),
    "assessment_types": ("aty", "assessmentTypes", "assessmentType"),
    "fee_categories": ("fee", "feeCategories", "feeCategory"),
    "school_settings": ("sch", None, None),
    "student_class_history": ("mem", None, None),
    "attendance": ("att", "attendance", None),
    "registers": ("reg", "registers", None),
    "assessments": ("asm", "assessments", "assessment"),
    "grades": ("gra", "grades", None),
    "final_grades": ("fin", "finalGrades", "finalGrade"),
    "grading_scales": ("gsc", "gradingScales", "gradingScale"),
    "payments": ("chg", "charges", "charge"),
    "payment_transactions": ("txn", None, None),
    "receipts": ("rct", "receipts", None),
    "sessions": ("ses", None, None),
    "grade_reopenings": ("gro", None, None),
    "gateway_events": ("gwe", None, None),
    "user": ("usr", "users", None),
    **{each.table: (each.tag, each.list_field, each.by_id_field) for each in NOUNS},
}

signed_in = [label for label in VIEWERS if label not in ("anonymous", "service")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database_url):
    database = await Database.open(Settings(environment="test", pool_min_size=1), database_url)
    async with database.acquire() as connection:
        await build(connection)
    yield School(database)
    await database.close()


def label_of(noun: str) -> dict[str, str]:
    """Maps the global id of every row of a noun to its label."""
    tag = ROOTS[noun][0]
    labels = SEES[noun].get("admin", set())
    return {f"{tag}_{uid(f'{noun}:{label}').hex}": label for label in labels}


def expected(noun: str, viewer: str) -> set[str]:
    return SEES[noun].get(viewer, set())


def labels(noun: str, nodes) -> set[str]:
    known = label_of(noun)
    return {known[node["id"]] for node in nodes if node is not None}


@pytest.mark.parametrize("viewer", signed_in)
@pytest.mark.parametrize("noun", [noun for noun, (_, root, _) in ROOTS.items() if root])
async def test_lists_and_their_counts(world, noun, viewer):
    root = ROOTS[noun][1]
    data = (await world.data(f"{{ {root}(first: 100) {{ totalCount nodes {{ id }} edges {{ node {{ id }} }} }} }}", VIEWERS[viewer]))[root]
    assert labels(noun, data["nodes"]) == expected(noun, viewer)
    assert labels(noun, [edge["node"] for edge in data["edges"]]) == expected(noun, viewer)
    assert data["totalCount"] == len(expected(noun, viewer))


@pytest.mark.parametrize("viewer", signed_in)
@pytest.mark.parametrize("noun", list(ROOTS))
async def test_node_nodes_and_by_id(world, noun, viewer):
    _, _, by_id = ROOTS[noun]
    known = label_of(noun)
    data = await world.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", VIEWERS[viewer], ids=list(known))
    assert labels(noun, data["nodes"]) == expected(noun, viewer)
    for identifier, label in known.items():
        fields = f"node(id: $id) {{ id }} {f'again: {by_id}(id: $id) {{ id }}' if by_id else ''}"
        data = await world.data(f"query ($id: ID!) {{ {fields} }}", VIEWERS[viewer], id=identifier)
        answers = {answer is not None for answer in data.values()}
        assert answers == {label in expected(noun, viewer)}, label


@pytest.mark.parametrize("viewer", signed_in)
async def test_search_finds_what_the_viewer_sees(world, viewer):
    query = "query ($text: String!) { search(text: $text, first: 50) { __typename ... on Student { id } ... on Guardian { id } ... on Teacher { id } } }"
    found = (await world.data(query, VIEWERS[viewer], text="test"))["search"]
    for kind, noun in (("Student", "students"), ("Guardian", "guardians"), ("Teacher", "teachers")):
        assert labels(noun, [each for each in found if each["__typename"] == kind]) == expected(noun, viewer)
    for label in SEES["students"]["admin"]:
        for text in (label, f"N-{label}"):
            found = (await world.data(query, VIEWERS[viewer], text=text))["search"]
            hits = labels("students", [each for each in found if each["__typename"] == "Student"])
            assert hits == {label} & expected("students", viewer)


@pytest.mark.parametrize("viewer", signed_in)
@pytest.mark.parametrize(("noun", "field"), list(FIELDS))
async def test_fields_out_of_reach_on_a_visible_row_are_null_and_forbidden(world, noun, field, viewer):
    root = ROOTS[noun][1]
    name = field.split()[0]
    answer = await world.ask(f"{{ {root}(first: 100) {{ nodes {{ id {field} }} }} }}", VIEWERS[viewer])
    nodes = answer.data[root]["nodes"]
    assert labels(noun, nodes) == expected(noun, viewer)
    open_to = FIELDS[noun, field].get(viewer, set())
    assert labels(noun, [node for node in nodes if node[name] is not None]) == open_to & expected(noun, viewer)
    closed = [place for place, node in enumerate(nodes) if node[name] is None]
    assert [each["path"] for each in answer.errors] == [[root, "nodes", place, name] for place in closed]
    assert set(answer.codes) <= {"FORBIDDEN"}


@pytest.mark.parametrize("viewer", signed_in)
async def test_balances_and_summaries_tell_only_of_rows_in_reach(world, viewer):
    fields = "id balances { balance } statements { entries { charge { id } } } attendanceSummary { days }"
    data = await world.data(f"{{ students {{ nodes {{ {fields} }} }} }}", VIEWERS[viewer])
    students = label_of("students")
    for node in data["students"]["nodes"]:
        label = students[node["id"]]
        assert bool(node["balances"]) == (label in expected("payments", viewer))
        shown = {line["charge"]["id"] for account in node["statements"] for line in account["entries"]}
        assert labels("payments", [{"id": each} for each in shown]) == {label} & expected("payments", viewer)
        assert bool(node["attendanceSummary"]) == (f"{label}_day" in expected("attendance", viewer))


@pytest.mark.parametrize("viewer", signed_in)
async def test_attendance_of_classes_and_the_school_counts_only_rows_in_reach(world, viewer):
    span = 'fromDate: "2025-06-01", toDate: "2026-06-30"'
    fields = f"""attendanceSummary({span}) {{ days }} attendanceBreakdown(by: DAY, {span}) {{ summary {{ days }} }}
        subjects: attendanceBreakdown(by: SUBJECT, {span}) {{ subject {{ code }} summary {{ days }} }}"""
    data = await world.data(f"{{ {fields} classes {{ nodes {{ {fields} }} }} }}", VIEWERS[viewer])
    seen = expected("attendance", viewer)
    whole, lessons = {each for each in seen if each.endswith("_day")}, {each for each in seen if not each.endswith("_day")}

    def days(part):
        return sum(each["summary"]["days"] for each in part)

    for parts in ([data], data["classes"]["nodes"]):
        assert sum(part["attendanceSummary"]["days"] for part in parts if part["attendanceSummary"]) == len(whole)
        assert sum(days(part["attendanceBreakdown"]) for part in parts) == len(whole)
        assert sum(days(part["subjects"]) for part in parts) == len(lessons)
    assert {each["subject"]["code"] for each in data["subjects"]} == {label.split("_")[1].upper() for label in lessons}


@pytest.mark.parametrize("viewer", signed_in)
async def test_the_past_opens_nothing_that_the_present_hides(world, viewer):
    at = (await world.value("SELECT clock_timestamp()")).isoformat()
    query = """query ($at: DateTime!) { students { nodes { id asOf(at: $at) { student { id } balances { balance } finalGrades { id } classMembership { fromDate } classHistory { fromDate }
        attendance(fromDate: "2025-06-01", toDate: "2026-06-30") { attendance { id } }
        attendanceSummary(fromDate: "2025-06-01", toDate: "2026-06-30") { days } } } } }"""
    students, marks = label_of("students"), label_of("attendance")
    past_grades: set[str] = set()
    nodes = (await world.data(query, VIEWERS[viewer], at=at))["students"]["nodes"]
    assert labels("students", nodes) == expected("students", viewer)
    for node in nodes:
        label, then = students[node["id"]], node["asOf"]
        assert then["student"]["id"] == node["id"]
        assert bool(then["balances"]) == (label in expected("payments", viewer))
        assert labels("final_grades", then["finalGrades"]) <= expected("final_grades", viewer)
        past_grades |= labels("final_grades", then["finalGrades"])
        memberships = {each for each in expected("student_class_history", viewer) if each.split("_")[0] == label}
        assert len(then["classHistory"]) == len(memberships)
        assert {marks[each["attendance"]["id"]] for each in then["attendance"]} == {
            mark for mark in expected("attendance", viewer) if mark.split("_")[0] == label
        }
        assert bool(then["attendanceSummary"]) == (f"{label}_day" in expected("attendance", viewer))


@pytest.mark.parametrize("viewer", signed_in)
async def test_averages_and_reports_tell_only_of_rows_in_reach(world, viewer):
    """Checks that averages in mathematics and reports of the first semester are visible exactly as far as their marks and final grades are."""
    semester, subject = f"sem_{uid('semesters:s1').hex}", f"sub_{uid('subjects:MATH').hex}"
    query = (
        "query ($m: ID!, $j: ID!) { students { nodes { id subjectAverage(subjectId: $j, semesterId: $m) { explanation { steps { detail } } }"
        " semesterReport(semesterId: $m) { gpa subjects { basis percentage finalGrade { id } } } } } classes { nodes { semesterReports(semesterId: $m)"
        " { student { id } subjects { finalGrade { id } } } } } }"
    )
    data = await world.data(query, VIEWERS[viewer], m=semester, j=subject)
    students = label_of("students")
    of_mathematics = {"ann": {"ann_m1", "ann_m2"}, "ben": {"ben_m1"}, "cleo": {"cleo_b1"}}
    for node in data["students"]["nodes"]:
        label = students[node["id"]]
        marks = of_mathematics.get(label, set()) & expected("grades", viewer)
        assert (node["subjectAverage"] is not None) == bool(marks), label
        if marks:
            counted = node["subjectAverage"]["explanation"]["steps"][0]["detail"]
            assert counted.startswith(f"{len(marks)} mark"), (label, counted)
    reports = [node["semesterReport"] for node in data["students"]["nodes"] if node["semesterReport"]]
    of_classes = [report for node in data["classes"]["nodes"] for report in node["semesterReports"]]
    assert {report["student"]["id"] for report in of_classes} <= {node["id"] for node in data["students"]["nodes"]}
    for report in [*reports, *of_classes]:
        posted = [subject["finalGrade"] for subject in report["subjects"] if subject["finalGrade"]]
        assert labels("final_grades", posted) <= expected("final_grades", viewer)
    visible = {"ann_eng", "cleo_math", "dan_math"} & expected("final_grades", viewer)
    there = labels("final_grades", [subject["finalGrade"] for report in reports for subject in report["subjects"] if subject["finalGrade"]])
    assert there == visible


@pytest.mark.parametrize("viewer", list(VIEWERS))
async def test_the_audit_log_is_for_administrators(world, viewer):
    answer = await world.ask("{ auditLog { totalCount nodes { id } } }", VIEWERS[viewer])
    if viewer == "admin":
        assert answer.data["auditLog"]["totalCount"] > 0
    else:
        assert answer.data["auditLog"] is None
        assert answer.codes == ["UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"]


@pytest.mark.parametrize("viewer", list(VIEWERS))
async def test_the_check_of_the_books_is_for_administrators_and_bursars(world, viewer):
    answer = await world.ask("{ booksCheck { rules { name } } }", VIEWERS[viewer])
    if viewer in {"admin", "bursar"}:
        assert len(answer.data["booksCheck"]["rules"]) > 10
    else:
        assert answer.data["booksCheck"] is None
        assert answer.codes == ["UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"]


@pytest.mark.parametrize("viewer", signed_in)
async def test_an_audit_entrys_id_opens_it_for_administrators_alone(world, viewer):
    entry = await world.id("aud", "SELECT id FROM audit_logs LIMIT 1")
    data = await world.data("query ($id: ID!) { node(id: $id) { id } }", VIEWERS[viewer], id=entry)
    assert (data["node"] is not None) == (viewer == "admin")


@pytest.mark.parametrize(("viewer", "code"), [("anonymous", "UNAUTHENTICATED"), ("service", "FORBIDDEN")])
async def test_who_is_no_user_reads_nothing_of_the_school(world, viewer, code):
    for noun, (tag, root, by_id) in ROOTS.items():
        identifier = next(iter(label_of(noun)))
        fields = [f'node(id: "{identifier}") {{ id }}']
        fields += [f"{root} {{ totalCount nodes {{ id }} }}"] if root else []
        fields += [f'{by_id}(id: "{identifier}") {{ id }}'] if by_id else []
        for field in fields:
            answer = await world.ask(f"{{ {field} }}", VIEWERS[viewer])
            assert answer.data is None or set(answer.data.values()) == {None}, (tag, field)
            assert answer.codes == [code], field
    assert (await world.data("{ viewer { role } }", VIEWERS[viewer]))["viewer"] is None
