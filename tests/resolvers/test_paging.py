"""Tests paging: every row appears once and in order, from either end, even if rows are inserted meanwhile; invalid arguments are clear errors."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.capabilities import NOUNS
from db.query_templates import QueryVariant
from db.sql_catalog import queries

ORDERS = [
    ("students", "NAME"), ("students", "STUDENT_NUMBER"), ("students", "ENROLLMENT_DATE"), ("classes", "CURRENT_ENROLLMENT"),
    ("classes", "GRADE_LEVEL"), ("charges", "LAST_TRANSACTION_AT"), ("users", "CREATED_AT"), ("receipts", "NUMBER"), ("teachers", "JOINING_DATE"),
    ("periods", "START_TIME"),
]  # fmt: skip


def query(root: str, order: str, direction: str, arguments: str) -> str:
    return (
        f"{{ {root}({arguments}, orderBy: {{field: {order}, direction: {direction}}})"
        " { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )


async def walk(demo, root, order, direction, size, *, backward=False, at_most=10_000):
    """Returns all ids of a list, reading page by page as clients do."""
    found, cursor = [], None
    count, place, more, edge = (
        ("last", "before", "hasPreviousPage", "startCursor") if backward else ("first", "after", "hasNextPage", "endCursor")
    )
    while True:
        arguments = f"{count}: {size}" + (f', {place}: "{cursor}"' if cursor else "")
        page = (await demo.data(query(root, order, direction, arguments)))[root]
        ids = [node["id"] for node in page["nodes"]]
        found = ids + found if backward else found + ids
        if not page["pageInfo"][more] or len(found) >= at_most:
            return found
        cursor = page["pageInfo"][edge]


@pytest.mark.parametrize(("root", "order"), ORDERS)
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_from_either_end_give_every_row_once_in_one_order(demo, root, order, direction):
    total = (await demo.data(f"{{ {root} {{ totalCount }} }}"))[root]["totalCount"]
    size = max(1, min(97, total // 3))
    limit = 400
    forward = await walk(demo, root, order, direction, size, at_most=limit)
    assert len(set(forward)) == len(forward)
    if total <= limit:
        backward = await walk(demo, root, order, direction, size, backward=True)
        opposite = await walk(demo, root, order, "DESC" if direction == "ASC" else "ASC", size)
        assert len(forward) == total
        assert forward == backward == opposite[::-1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_window_is_a_slice_of_the_whole(demo, data):
    whole = await walk(demo, "students", "NAME", "ASC", 100)
    page = (await demo.data("{ students(first: 500) { edges { cursor } } }"))["students"]
    cursors = [edge["cursor"] for edge in page["edges"]]
    after = data.draw(st.none() | st.integers(0, len(whole) - 1))
    before = data.draw(st.none() | st.integers(0, len(whole) - 1))
    size = data.draw(st.integers(0, 60))
    backward = data.draw(st.booleans())
    low, high = (0 if after is None else after + 1), (len(whole) if before is None else before)
    window = whole[low:high] if low < high else []
    arguments = f"{'last' if backward else 'first'}: {size}"
    arguments += f', after: "{cursors[after]}"' if after is not None else ""
    arguments += f', before: "{cursors[before]}"' if before is not None else ""
    answer = (await demo.data(query("students", "NAME", "ASC", arguments)))["students"]
    expected = (window[-size:] if size else []) if backward else window[:size]
    assert [node["id"] for node in answer["nodes"]] == expected
    assert answer["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"] == (len(window) > size)


async def test_names_sort_as_people_expect(fresh_database_url):
    from config import Settings
    from db.pool import Database
    from tests.graphql_school import School

    database = await Database.open(Settings(environment="test", pool_min_size=1), fresh_database_url)
    try:
        for n, name in enumerate(["Zorn", "adams", "Åberg", "Ærø", "Eklund", "émile", "zorn", "ADAMS"]):
            user = await database.fetchval("INSERT INTO users (role, first_name, last_name) VALUES ('ADMIN', 'X', $1) RETURNING id", name)
            await database.execute("INSERT INTO guardians (user_id) VALUES ($1)", user)
            if n == 0:
                await database.execute("UPDATE users SET email = 'admin@demo.school' WHERE id = $1", user)
        nodes = (await School(database).data("{ guardians { nodes { lastName } } }"))["guardians"]["nodes"]
        assert [node["lastName"].casefold() for node in nodes] == ["åberg", "adams", "adams", "ærø", "eklund", "émile", "zorn", "zorn"]
    finally:
        await database.close()


async def test_a_cursor_survives_inserts_before_it(demo):
    first = (await demo.data(query("students", "NAME", "ASC", "first: 10")))["students"]
    rest = (await demo.data(query("students", "NAME", "ASC", f'first: 10, after: "{first["pageInfo"]["endCursor"]}"')))["students"]
    user = await demo.value("INSERT INTO users (role, first_name, last_name) VALUES ('STUDENT', 'Aaa', 'Aaa') RETURNING id")
    await demo.database.execute(
        "INSERT INTO students (user_id, student_number, enrollment_date, is_active) VALUES ($1, 'early', '2025-08-01', false)", user
    )
    again = (await demo.data(query("students", "NAME", "ASC", f'first: 10, after: "{first["pageInfo"]["endCursor"]}"')))["students"]
    assert again["nodes"] == rest["nodes"]


async def test_nested_pages_page_each_parent_on_its_own(demo):
    data = await demo.data("{ classes(first: 6) { nodes { id students(first: 3) { nodes { id } pageInfo { endCursor hasNextPage } } } } }")
    for node in data["classes"]["nodes"]:
        page = node["students"]
        if not page["pageInfo"]["hasNextPage"]:
            continue
        more = await demo.data(
            "query ($id: ID!, $after: String) { class(id: $id) { students(first: 500, after: $after) { nodes { id } } all: students(first: 500) { nodes { id } } } }",
            id=node["id"],
            after=page["pageInfo"]["endCursor"],
        )
        assert page["nodes"] + more["class"]["students"]["nodes"] == more["class"]["all"]["nodes"]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ("first: -1", ["first"]),
        ("last: -1", ["last"]),
        ("first: 501", ["first"]),
        ("first: 1, last: 1", ["last"]),
        ('after: "nonsense"', ["after"]),
        ('before: ""', ["before"]),
        ('first: -1, after: "x", before: "y"', ["first", "after", "before"]),
    ],
)
async def test_bad_arguments_are_all_told_at_once_with_a_code(demo, arguments, wrong):
    answer = await demo.ask(f"{{ students({arguments}) {{ nodes {{ id }} }} }}")
    assert answer.codes == ["BAD_USER_INPUT"]
    assert [each["argument"] for each in answer.errors[0]["extensions"]["problems"]] == wrong
    assert answer.statements == 0


async def test_a_cursor_of_another_order_or_list_is_refused(demo):
    by_name = (await demo.data(query("students", "NAME", "ASC", "first: 1")))["students"]["pageInfo"]["endCursor"]
    answer = await demo.ask(query("students", "ENROLLMENT_DATE", "ASC", f'first: 1, after: "{by_name}"'))
    assert answer.codes == ["BAD_USER_INPUT"]


async def test_a_list_that_is_too_long_to_be_sorted_so_says_what_it_needs(demo):
    by_percentage = "first: 3, orderBy: {field: PERCENTAGE, direction: DESC}"
    answer = await demo.ask(f"{{ grades({by_percentage}, filter: {{failing: true}}) {{ nodes {{ id }} }} }}")
    assert answer.codes == ["BAD_USER_INPUT"]
    [problem] = answer.errors[0]["extensions"]["problems"]
    assert problem["argument"] == "orderBy"
    assert all(f"`filter.{name}`" in problem["message"] for name in ("studentIds", "classIds", "assessmentIds"))
    assert answer.statements == 0
    nodes = "nodes { percentage student { id class { id } } assessment { id } }"
    [some, *_] = (await demo.data(f"{{ grades(first: 1, filter: {{scored: true}}) {{ {nodes} }} }}"))["grades"]["nodes"]
    for name, value in (("studentIds", some["student"]["id"]), ("assessmentIds", some["assessment"]["id"])):
        found = (await demo.data(f'{{ grades({by_percentage}, filter: {{{name}: ["{value}"]}}) {{ {nodes} }} }}'))["grades"]["nodes"]
        percentages = [float(node["percentage"] or -1) for node in found]
        assert found
        assert percentages == sorted(percentages, reverse=True)
    below = f'{{ student(id: "{some["student"]["id"]}") {{ grades({by_percentage}) {{ nodes {{ percentage }} }} }} }}'
    assert (await demo.data(below))["student"]["grades"]["nodes"], "a student's list is short"


async def test_grades_of_classes_are_those_of_their_assessments(demo):
    ids = await demo.value(
        "SELECT array_agg(id) FROM (SELECT class_id AS id FROM assessments GROUP BY class_id ORDER BY count(*) DESC LIMIT 2) AS c"
    )
    wanted = await demo.value("SELECT count(*) FROM grades WHERE class_id = ANY($1)", ids)
    given_ids = ", ".join(f'"cls_{each.hex}"' for each in ids)
    answer = await demo.data(f"{{ grades(filter: {{classIds: [{given_ids}]}}) {{ totalCount }} }}")
    assert answer["grades"]["totalCount"] == wanted > 0


FLAGS = sorted((query.name, flag) for query in queries if query.is_page for flag in query.flags)


@pytest.mark.parametrize(("name", "flag"), FLAGS)
async def test_yes_and_no_part_a_list_in_two(demo, name, flag):
    """Checks that each row is in exactly one half, although NULL is neither: a grade without a score is neither failing nor passing."""
    query = getattr(queries, name)
    reach = SimpleNamespace(open=NOUNS)

    async def count(*filters):
        statement = query.count(QueryVariant(filters=query.filter_keys(filters)), NOUNS)
        return await demo.value(statement.sql, *statement.arguments({}, reach))

    neither = await demo.value("SELECT count(*) FROM grades WHERE percentage IS NULL") if flag == "failing" else 0
    assert await count((flag, True)) + await count((flag, False)) + neither == await count()


@pytest.mark.parametrize("identifier", ["nonsense", "stu_123", "stu_" + "g" * 32, "xyz_" + "0" * 32, "", "stu_" + "0" * 31 + "é"])
async def test_a_wrong_id_is_a_clear_error(demo, identifier):
    for field in ("node(id: $id) { id }", "student(id: $id) { id }"):
        answer = await demo.ask(f"query ($id: ID!) {{ {field} }}", id=identifier)
        assert answer.codes == ["BAD_USER_INPUT"]


async def test_an_id_of_another_type_is_a_clear_error(demo):
    teacher = (await demo.data("{ teachers(first: 1) { nodes { id } } }"))["teachers"]["nodes"][0]["id"]
    answer = await demo.ask("query ($id: ID!) { student(id: $id) { id } }", id=teacher)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert "Student" in answer.errors[0]["message"]
    answer = await demo.ask("query ($id: ID!) { grades(filter: {studentIds: [$id]}) { totalCount } }", id=teacher)
    assert answer.codes == ["BAD_USER_INPUT"]


async def test_an_id_of_nothing_is_null(demo):
    nothing = "stu_" + "0" * 32
    data = await demo.data("query ($id: ID!) { node(id: $id) { id } student(id: $id) { id } nodes(ids: [$id]) { id } }", id=nothing)
    assert data == {"node": None, "student": None, "nodes": [None]}


async def test_more_nodes_than_allowed_are_refused(demo):
    answer = await demo.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["stu_" + "0" * 32] * 101)
    assert answer.codes == ["BAD_USER_INPUT"]
