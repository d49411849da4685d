"""Tests that rows that PostgreSQL serialises as JSON equal those that would be read: every type and value, for every viewer."""

import pytest
import pytest_asyncio
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type

import db.query_compiler
from execution.fields import EDGE, GUARD, ROOT
from execution.raw_json import RawJson
from sized_cache import SizedCache
from tests.graphql_school import _CORE, BREADTH_FIRST, SCHEMA, _document, assert_alike, cost

# Fields of nodes that are leaves of no more than the row, and that are not written all the same.
READ = {"FinalGrade.rounded", "FinalGrade.postedAt", "Assessment.isPublished", "AuditEntry.recordId"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def demo_with_every_list(demo):
    """Yields the demo school with at least one row in every list, so that results are not equal merely because they are empty."""
    async with demo.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO grade_reopenings (class_id, subject_id, semester_id, after_number, open_until, reason, reopened_by)"
            " SELECT class_id, subject_id, semester_id, number, now() + interval '1 day', 'A slip', posted_by FROM grade_postings LIMIT 1"
        )
        await connection.execute(
            "INSERT INTO service_tokens (name, token_hash, scopes) VALUES ('dashboard', sha256('x'), ARRAY['health:read'])"
        )
        await connection.execute(
            "INSERT INTO gateway_events (gateway, event_id, event_type, gateway_id, problem, facts) VALUES ('stripe', 'evt_1', 'x', 'pi_1', 'x', '{\"amount\": \"1.00\", \"currency\": \"EUR\"}')"
        )


@pytest.fixture
def written(monkeypatch):
    """Records the pages and rows that PostgreSQL has serialised."""
    found = []
    original = RawJson.fragment

    def fragment(self):
        found.append(self)
        return original(self)

    monkeypatch.setattr(RawJson, "fragment", fragment)
    return found


def _connections():
    """Yields the root fields that are connections, with the type of their nodes."""
    for name, field in SCHEMA._schema.query_type.fields.items():
        kind = get_named_type(field.type)
        if isinstance(kind, GraphQLObjectType) and "nodes" in kind.fields and _metadata(field).get(ROOT) is not None:
            yield name, get_named_type(kind.fields["nodes"].type)


def _metadata(field):
    made = field.extensions.get("strawberry-definition")
    return {} if made is None else made.metadata


CONNECTIONS = dict(_connections())


def _without_arguments(kind):
    return {name: each for name, each in kind.fields.items() if not each.args}


def _is_list(kind):
    return isinstance(kind, GraphQLList) or (isinstance(kind, GraphQLNonNull) and isinstance(kind.of_type, GraphQLList))


def _leaves(kind):
    """Returns the leaf fields, except guarded ones, those that only their resolver can compute, and JSON."""
    return [
        name
        for name, each in _without_arguments(kind).items()
        if is_leaf_type(get_named_type(each.type))
        and not _is_list(each.type)
        and get_named_type(each.type).name != "JSON"
        and GUARD not in _metadata(each)
        and f"{kind.name}.{name}" not in READ
    ]


def _edges(kind):
    found = {name: _metadata(each).get(EDGE) for name, each in _without_arguments(kind).items()}
    return [name for name, edge in found.items() if edge is not None and edge.loader.source is not None]


def test_every_list_is_looked_at():
    assert len(CONNECTIONS) >= 15


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_every_leaf_of_a_list_is_written_as_it_is_read(demo, written, name):
    """Compares both executors, one of which reads rows: `ask` requires results that are equal to the byte."""
    kind = CONNECTIONS[name]
    data = await demo.data(f"{{ {name}(first: 100) {{ nodes {{ __typename {' '.join(_leaves(kind))} }} }} }}")
    assert data[name]["nodes"], f"the demo school has no {name}: add rows to db/seed/, or one to `demo_with_every_list`"
    assert len(written) == 1, "the page was not written"
    assert written[0].value() == data[name]["nodes"]


@pytest.mark.parametrize("name", [name for name, kind in CONNECTIONS.items() if _edges(kind)])
@pytest.mark.parametrize(
    "email", ["admin@demo.school", "teacher@demo.school", "student@demo.school", "guardian@demo.school", "bursar@demo.school"]
)
async def test_rows_that_are_linked_are_written_for_who_may_see_them(demo, written, name, email):
    edges = " ".join(f"{each} {{ __typename id }}" for each in _edges(CONNECTIONS[name]))
    answer = await demo.ask(f"{{ {name}(first: 20) {{ nodes {{ id {edges} }} }} }}", email)
    assert bool(written) == (answer.data[name] is not None)


async def test_lists_within_lists_are_written_in_one_statement(demo, written):
    query = "{ students(first: 20) { nodes { id grades(first: 5) { nodes { id percentage letter subject { id name } } } } } }"
    answer = await demo.ask(query)
    assert {len(each["grades"]["nodes"]) for each in answer.data["students"]["nodes"]} == {5}
    assert len(written) == 1
    assert answer.statements == cost(1, 3)


async def test_a_page_of_each_parent_is_written_when_its_arguments_are_variables(demo, written):
    """Checks that a statement for the parents and one for their pages are run, since the plan does not know the values of variables."""
    query = "query ($n: Int) { students(first: 20) { nodes { id grades(first: $n) { nodes { id letter subject { id name } } } } } }"
    answer = await demo.ask(query, n=5)
    assert {len(each["grades"]["nodes"]) for each in answer.data["students"]["nodes"]} == {5}
    assert len(written) == 20
    assert answer.statements == cost(2, 3)


async def test_a_single_row_is_written_for_who_may_see_it_and_null_for_others(demo, written):
    query = "query ($id: ID!) { student(id: $id) { id studentNumber class { id name } } }"
    [own] = (await demo.data("{ students(first: 1) { nodes { id } } }", "student@demo.school"))["students"]["nodes"]
    seen = [each["id"] for each in (await demo.data("{ students(first: 2) { nodes { id } } }"))["students"]["nodes"]]
    other = next(each for each in seen if each != own["id"])
    written.clear()
    for email, asked, found in [
        ("admin@demo.school", other, True),
        ("student@demo.school", own["id"], True),
        ("student@demo.school", other, False),
    ]:
        answer = await demo.ask(query, email, id=asked)
        assert (answer.errors, answer.data["student"] is not None) == ([], found), (email, asked)
    assert len(written) == 2


NESTED = [
    'grades(first: 3, filter: {states: [SCORED], percentageAtLeast: "50"}, orderBy: {field: PERCENTAGE, direction: DESC}) { nodes { percentage } }',
    'attendance(first: 4, filter: {statuses: [ABSENT, LATE], fromDate: "2026-01-01"}) { nodes { date status class { name teacher { id } } } }',
    "attendance(first: 0) { nodes { id } }",
    "charges { nodes { id amount currency } }",
    "charges { nodes { id dueDate status transactions(first: 2) { nodes { kind occurredAt } } } }",
    "classHistory(first: 2) { nodes { fromDate class { name students(first: 2) { nodes { studentNumber user { id } } } } academicYear { name } } }",
    "attendance(last: 3) { nodes { id } }",
    "attendance(first: 2) { nodes { id } pageInfo { hasNextPage } }",
    "attendance(first: 2) { nodes { id } totalCount }",
    "attendance(first: 2) { rows: nodes { id } }",
    "few: attendance(first: 2) { nodes { id } }",
    "attendance(first: -1) { nodes { id } }",
    'attendance(after: "nonsense") { nodes { id } }',
    "guardians(first: 2) { nodes { name } }",
]


@pytest.mark.parametrize(
    "email", ["admin@demo.school", "teacher@demo.school", "student@demo.school", "guardian@demo.school", "bursar@demo.school"]
)
@pytest.mark.parametrize("selection", NESTED)
async def test_lists_within_lists_are_what_each_may_see(demo, email, selection):
    """Compares both executors, one of which reads rows: filters, orders, cursors, errors and visibility must be equal."""
    query = f"{{ students(first: 10) {{ nodes {{ studentNumber {selection} }} }} }}"
    answer = await demo.ask(query, email)
    assert answer.data is None or answer.data["students"] is None or answer.data["students"]["nodes"]


async def test_a_list_within_a_list_goes_on_behind_its_cursor(demo, written):
    pages = "{ classes(first: 100) { nodes { id students(first: 2) { nodes { id } edges { cursor } } } } }"
    nodes = (await demo.data(pages))["classes"]["nodes"]
    known = next(each for each in nodes if len(each["students"]["edges"]) == 2)
    cursor = known["students"]["edges"][1]["cursor"]
    query = f'{{ class(id: "{known["id"]}") {{ students(first: 2, after: "{cursor}") {{ nodes {{ id }} }} }} }}'
    following = await demo.data(query)
    assert len(written) == 1
    whole = await demo.data(f'{{ class(id: "{known["id"]}") {{ students(first: 4) {{ nodes {{ id }} }} }} }}')
    assert following["class"]["students"]["nodes"] == whole["class"]["students"]["nodes"][2:]


async def test_the_page_ends_where_it_should_and_goes_on_behind_its_cursor(demo, written):
    query = "query ($after: String) { attendance(first: 7, after: $after) { nodes { id } } }"
    whole = await demo.data("{ attendance(first: 14) { nodes { id } edges { cursor } } }")
    assert not written, "cursors are made here"
    cursor = whole["attendance"]["edges"][6]["cursor"]
    parts = [(await demo.data(query, after=each))["attendance"]["nodes"] for each in (None, cursor)]
    assert parts[0] + parts[1] == whole["attendance"]["nodes"]
    assert [len(each) for each in parts] == [7, 7]
    assert len(written) == 2
    assert (await demo.data("{ attendance(first: 0) { nodes { id } } }"))["attendance"]["nodes"] == []


@pytest.mark.parametrize(
    "selection",
    [
        "nodes { id } pageInfo { hasNextPage }",
        "nodes { number: id }",
        "nodes { id } others: nodes { id status }",
        "nodes { id student { id grades(last: 1) { nodes { id } } } }",
        "edges { node { id } }",
    ],
)
async def test_what_cannot_be_written_is_read(demo, written, selection):
    """Checks fields that need the rows themselves, and aliases, which are chosen by clients and must never be part of a statement."""
    await demo.data(f"{{ attendance(first: 3) {{ {selection} }} }}")
    assert not any("_000" in each.text or (each.text.startswith("[") and "att_" in each.text) for each in written)


async def test_a_page_from_the_end_is_read(demo, written):
    data = await demo.data("{ attendance(last: 3) { nodes { id date } } }")
    assert not written
    assert len(data["attendance"]["nodes"]) == 3


async def test_the_whole_page_of_a_type_that_is_counted_is_written(demo, written):
    data = await demo.data("{ attendance(first: 3) { nodes { id } totalCount __typename } }")
    assert len(written) == 1
    assert data["attendance"]["totalCount"] > 3


async def test_texts_of_any_kind_are_written(writable, written):
    texts = [
        "\"quoted\" \\ 'single' $1 %s {0} || --",
        "line\nbreak\r\ttab\b\f",
        "\x01\x1f\x7f",
        "ÄÖ\u2028\u2029😀\u0301",
        "</script>",
        "[null]",
        "\\u0000",
    ]
    wanted = "SELECT id FROM attendance WHERE status = 'ABSENT' AND excused ORDER BY date DESC, id DESC LIMIT $1"
    for row, text in zip(await writable.database.fetch(wanted, len(texts)), texts, strict=True):
        await writable.database.execute("UPDATE attendance SET excuse_reason = $2 WHERE id = $1", row["id"], text)
    query = "query ($filter: AttendanceFilter) { attendance(first: 100, filter: $filter) { nodes { id excuseReason } } }"
    data = await writable.data(query, filter={"statuses": ["ABSENT"], "excused": True})
    assert set(texts) <= {each["excuseReason"] for each in data["attendance"]["nodes"]}
    assert written


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-01 10:00:00.000001+00",
        "2026-03-01 10:00:00+00",
        "2026-03-01 10:00:00.5+02",
        "0001-01-03 00:00:00+00",
        "9998-12-31 23:59:59.999999+00",
    ],
)
async def test_moments_are_written_to_the_microsecond(writable, written, moment):
    await writable.database.execute(
        "UPDATE students SET created_at = $1::text::timestamptz WHERE user_id = (SELECT id FROM users WHERE email = 'student@demo.school')",
        moment,
    )
    data = await writable.data("{ students(first: 100) { nodes { studentNumber createdAt } } }", "student@demo.school")
    assert len(data["students"]["nodes"]) == 1
    assert len(written) == 1


@pytest.mark.parametrize("moment", ["08:05:07", "00:00:00", "08:05:07.25", "23:59:59.999999"])
async def test_times_of_day_are_written_to_the_microsecond(writable, written, moment):
    late = "SELECT id FROM attendance WHERE status = 'LATE' ORDER BY date DESC, id DESC LIMIT 1"
    await writable.database.execute(f"UPDATE attendance SET arrival_time = $1::text::time WHERE id = ({late})", moment)
    query = "query ($filter: AttendanceFilter) { attendance(first: 100, filter: $filter) { nodes { id arrivalTime } } }"
    await writable.data(query, filter={"statuses": ["LATE"]})
    assert len(written) == 1


async def test_a_value_that_is_none_of_its_type_is_an_error_in_its_place(writable, written):
    """Checks a value that the database's constraints do not allow: the row must not be serialised with another one."""
    await writable.database.execute("ALTER TABLE attendance DROP CONSTRAINT attendance_status_check")
    student = await writable.value("SELECT student_id FROM attendance ORDER BY id LIMIT 1")
    latest = "SELECT id FROM attendance WHERE student_id = $1 AND NOT excused AND arrival_time IS NULL AND minutes_late IS NULL ORDER BY date DESC, id DESC LIMIT 1"
    spoilt = await writable.value(f"UPDATE attendance SET status = 'ASLEEP' WHERE id = ({latest}) RETURNING id", student)
    document = _document("query ($id: ID!) { student(id: $id) { attendance(first: 100) { nodes { id status } } } }")
    viewer = await writable.viewer("admin@demo.school")
    answers = [await writable._run(each, document, viewer, {"id": f"stu_{student.hex}"}) for each in (BREADTH_FIRST, _CORE)]
    assert_alike(*answers)
    assert answers[0].codes == ["INTERNAL_SERVER_ERROR"]
    assert answers[0].errors[0]["path"][:3] == ["student", "attendance", "nodes"]
    assert answers[0].statements == answers[1].statements + 1, "what could not be written was read"
    assert spoilt is not None
    assert not written


async def test_what_was_written_stands_beside_an_error(demo, written):
    query = (
        "{ students(first: 3) { nodes { studentNumber attendance(first: 2) { nodes { id status } } grades(first: -1) { nodes { id } } } } }"
    )
    answer = await demo.ask(query)
    assert answer.codes[0] == "BAD_USER_INPUT"
    assert answer.data is None or answer.data["students"] is None


async def test_what_leads_from_the_viewer_is_written(demo, written):
    query = "{ viewer { student { studentNumber grades(first: 5) { nodes { id letter subject { name } } } } } }"
    answer = await demo.ask(query, "student@demo.school")
    assert len(answer.data["viewer"]["student"]["grades"]["nodes"]) == 5
    assert len(written) == 1
    assert answer.statements == cost(2, 4), "the reach, and the student with grades and their subjects"


async def test_operations_that_select_the_same_compile_no_statement_twice(demo, written, monkeypatch):
    """Checks that two documents that differ only in their text share their trees, and therefore their statements."""
    kept = SizedCache(1 << 20)
    monkeypatch.setattr(db.query_compiler, "COMPILED", kept)
    one = "{ classes(first: 3) { nodes { name students(first: 2) { nodes { studentNumber class { id } } } } } }"
    first = await demo.ask(one)
    assert written
    compiled = len(kept)
    again = await demo.ask("query Other " + one.replace(" ", "  "))
    assert again.data == first.data
    assert len(kept) == compiled
    await demo.ask(one.replace("first: 2", "first: 1"))
    assert len(kept) > compiled, "another list within is another statement"
