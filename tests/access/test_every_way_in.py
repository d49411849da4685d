"""Tests that the access table covers every way in, or names the test that does: a new noun, list, edge or root field fails here until it is covered."""

import ast
from pathlib import Path

import pytest
import pytest_asyncio

from config import Settings
from db.pool import Database
from db.sql_catalog import queries
from schema.nodes import _BY_TAG
from tests.access.required_coverage import NODE_TYPES, ROOT_FIELDS, TO_MANY, TO_ONE, WITHIN
from tests.access.small_school import VIEWERS, build
from tests.access.table import FIELDS, LINKED_BY, SEES, TYPES
from tests.access.test_access import ROOTS, expected, label_of, labels, signed_in
from tests.graphql_school import School

# Node types without labelled rows in the small school, each with the test that covers it.
OTHER_TYPES = {
    "AuditEntry": "test_an_audit_entrys_id_opens_it_for_administrators_alone",
    "ServiceToken": "test_without_a_rule_what_is_the_administrators_alone_opens_by_its_id",
}
# Root fields other than a noun's list and its field by id, each with the test that covers it.
OTHER_ROOT_FIELDS = {
    "viewer": "test_who_is_no_user_reads_nothing_of_the_school",
    "node": "test_node_nodes_and_by_id",
    "nodes": "test_node_nodes_and_by_id",
    "search": "test_search_finds_what_the_viewer_sees",
    "studentByNumber": "test_a_student_is_found_by_number_as_by_id",
    "school": "test_settings_of_the_school_are_shown_to_every_user",
    "attendanceSummary": "test_attendance_of_classes_and_the_school_counts_only_rows_in_reach",
    "attendanceBreakdown": "test_attendance_of_classes_and_the_school_counts_only_rows_in_reach",
    "classesWithoutRegister": "test_registers_not_taken_lists_what_is_missing_to_whom_it_concerns",
    "gradeReopenings": "test_administrators_see_what_was_reopened_and_what_waits_to_be_posted_again",
    "gatewayEvents": "test_administrators_and_bursars_list_what_gateways_told",
    "auditLog": "test_the_audit_log_is_for_administrators",
    "booksCheck": "test_the_check_of_the_books_is_for_administrators_and_bursars",
    "serviceTokens": "test_what_is_the_administrators_alone",
    "systemHealth": "test_others_see_status_and_timestamp_alone",
    "previewPromotion": "test_nobody_but_an_administrator_sees_a_plan",
    "previewCharges": "test_what_the_office_previews_is_refused_to_everybody_else",
}
_OFFICE_ALONE = "test_what_the_office_previews_is_refused_to_everybody_else"
_WRITERS_ALONE = "test_who_may_not_is_refused_and_leaves_no_trace"
_PAST = "test_the_past_opens_nothing_that_the_present_hides"
_REPORTS = "test_averages_and_reports_tell_only_of_rows_in_reach"
# What leads to a node and is not in the table, as between two of its types, each with the test of what it opens.
OTHER_EDGES = {
    # Administrators alone have these two types, and they see all users.
    "AuditEntry.user": "test_an_audit_entrys_id_opens_it_for_administrators_alone",
    "ServiceToken.createdBy": "test_what_is_the_administrators_alone",
    "OverruledMark.markedBy": "test_the_offices_entry_stands_above_the_teachers_and_both_are_kept",
    "AttendanceGroup.subject": "test_attendance_of_classes_and_the_school_counts_only_rows_in_reach",
    **dict.fromkeys(["SemesterReport.student", "SemesterReport.class", "SemesterReport.semester"], _REPORTS),
    **dict.fromkeys(["SubjectAverage.subject", "SubjectAverage.finalGrade"], _REPORTS),
    **dict.fromkeys(["StatementEntry.charge", "StatementEntry.transaction"], "test_balances_and_summaries_tell_only_of_rows_in_reach"),
    **dict.fromkeys(["StudentAsOf.student", "StudentAsOf.finalGrades", "PastMembership.class", "PastMembership.academicYear"], _PAST),
    **dict.fromkeys(["PastAttendance.subject", "PastAttendance.class", "PastAttendance.attendance"], _PAST),
    **dict.fromkeys(
        ["Viewer.user", "Viewer.session", "Viewer.student", "Viewer.teacher", "Viewer.guardian"], "test_a_viewer_is_shown_themselves_alone"
    ),
    **dict.fromkeys(
        ["PromotionRow.student", "PromotionRow.fromClass", "PromotionRow.toClass"], "test_nobody_but_an_administrator_sees_a_plan"
    ),
    **dict.fromkeys(["ChargePreview.academicYear", "ChargeRow.student", "ChargeRow.repeats"], _OFFICE_ALONE),
    "PasswordReset.user": _WRITERS_ALONE,
    **dict.fromkeys(["RegisterChange.student", "RegisterChange.attendance", "NotMarked.student"], _WRITERS_ALONE),
    **dict.fromkeys(["GradeChange.student", "GradeChange.grade", "GradePosting.subject"], _WRITERS_ALONE),
}
# Lists in db/sql that have another name than their noun, or are covered by another test.
NOUN_OF_PAGE = {"guardianships": "guardian_students", "class_history": "student_class_history", "users": "user"}
OTHER_PAGES = {
    "attendance_totals": "test_attendance_of_classes_and_the_school_counts_only_rows_in_reach",
    "classes_without_register": "test_registers_not_taken_lists_what_is_missing_to_whom_it_concerns",
    "audit_log": "test_the_audit_log_is_for_administrators",
    "service_tokens": "test_what_is_the_administrators_alone",
}
_ROOT = Path(__file__).parents[1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database_url):
    database = await Database.open(Settings(environment="test", pool_min_size=1), database_url)
    async with database.acquire() as connection:
        await build(connection)
    yield School(database)
    await database.close()


def test_every_type_with_an_id_is_in_the_table():
    for name in sorted(NODE_TYPES - TYPES.keys() - OTHER_TYPES.keys()):
        pytest.fail(
            f"{name} has a global id, but no access test covers it: write its rows, who sees which of them and who may change them as NOUN into"
            f" a module tests/nouns/test_<noun>.py (the fields: tests/access/noun.py; an example: tests/nouns/test_announcements.py)."
        )
    assert TYPES.keys() | OTHER_TYPES.keys() == NODE_TYPES
    assert set(TYPES.values()) == SEES.keys() == ROOTS.keys()
    assert {noun: ROOTS[noun][0] for noun in ROOTS} == {
        TYPES[node_type.cls.__strawberry_definition__.name]: tag
        for tag, node_type in _BY_TAG.items()
        if node_type.cls.__strawberry_definition__.name in TYPES
    }


@pytest.mark.parametrize("noun", list(SEES))
def test_every_noun_has_rows_that_somebody_sees(noun):
    assert SEES[noun].get("admin"), f"no row of {noun} in the world: every list of it would be compared with an empty one"


def test_every_root_field_is_in_the_table_or_has_a_test():
    in_table = {name for _, root, by_id in ROOTS.values() for name in (root, by_id) if name}
    for name in sorted(ROOT_FIELDS - in_table - OTHER_ROOT_FIELDS.keys()):
        pytest.fail(
            f"Query.{name} is not covered: when it lists a noun or gets one by id, name it in ROOTS (tests/access/test_access.py); otherwise"
            f" write a test of who gets what from it, and name that in OTHER_ROOT_FIELDS (tests/access/test_every_way_in.py)."
        )
    assert in_table | OTHER_ROOT_FIELDS.keys() == ROOT_FIELDS


def test_every_edge_that_the_table_does_not_cover_has_a_test():
    for edge in sorted(WITHIN - OTHER_EDGES.keys()):
        pytest.fail(
            f"{edge} leads to a node, is not in the table, and no test says what it opens: write one, and name it in OTHER_EDGES (tests/access/test_every_way_in.py)."
        )
    assert OTHER_EDGES.keys() == WITHIN


def test_every_list_among_the_statements_is_in_the_table():
    lists = {query.name for query in queries if query.is_page or query.is_totals}
    for name in sorted(lists - OTHER_PAGES.keys()):
        noun = NOUN_OF_PAGE.get(name, name)
        assert noun in SEES, (
            f"the list {name} ({queries._queries[name].file}) has no noun in SEES (tests/access/table.py): say who sees which rows of it"
        )
        if queries._queries[name].public:
            assert SEES[noun] == dict.fromkeys(signed_in, SEES[noun]["admin"]), (
                f"{name} says that it is public, and the table hides rows of it"
            )
    assert OTHER_PAGES.keys() <= lists


def test_the_tests_that_are_named_here_exist():
    written = {
        node.name
        for path in _ROOT.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    named = {*OTHER_TYPES.values(), *OTHER_ROOT_FIELDS.values(), *OTHER_EDGES.values(), *OTHER_PAGES.values()}
    assert named - written == set()


def _parents(kind: str) -> list[str]:
    return list(label_of(TYPES[kind]))


@pytest.mark.parametrize("viewer", signed_in)
@pytest.mark.parametrize(("kind", "field", "noun"), TO_MANY)
async def test_a_connection_shows_of_each_visible_parent_what_the_table_says(world, kind, field, noun, viewer):
    query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ id {field}(first: 100) {{ totalCount nodes {{ id }} }} }} }} }}"
    everything = (await world.data(query, VIEWERS["admin"], ids=_parents(kind)))["nodes"]
    of_parent = {node["id"]: labels(noun, node[field]["nodes"]) for node in everything}
    answer = await world.ask(query, VIEWERS[viewer], ids=_parents(kind))
    own = FIELDS.get((TYPES[kind], f"{field} {{ nodes {{ id }} }}"))
    for node in answer.data["nodes"]:
        if node is None:
            continue
        if own is not None and label_of(TYPES[kind])[node["id"]] not in own.get(viewer, set()):
            assert node[field] is None
            continue
        found, wanted = labels(noun, node[field]["nodes"]), of_parent[node["id"]] & expected(noun, viewer)
        if (kind, field) in LINKED_BY:
            parent = label_of(TYPES[kind])[node["id"]]
            wanted = {end for end in wanted if f"{parent}-{end}" in expected(LINKED_BY[kind, field], viewer)}
        assert found == wanted
        assert node[field]["totalCount"] == len(found)
    assert set(answer.codes) <= ({"FORBIDDEN"} if own is not None else set())


@pytest.mark.parametrize("viewer", signed_in)
@pytest.mark.parametrize(("kind", "field", "noun"), TO_ONE)
async def test_an_edge_to_one_is_there_when_the_table_shows_its_end(world, kind, field, noun, viewer):
    query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ id {field} {{ id }} }} }} }}"
    everything = (await world.data(query, VIEWERS["admin"], ids=_parents(kind)))["nodes"]
    ends = {node["id"]: node[field] for node in everything}
    known = label_of(noun)
    for node in (await world.data(query, VIEWERS[viewer], ids=_parents(kind)))["nodes"]:
        if node is not None:
            end = ends[node["id"]]
            assert node[field] == (end if end is not None and known[end["id"]] in expected(noun, viewer) else None)


@pytest.mark.parametrize("viewer", signed_in)
async def test_a_student_is_found_by_number_as_by_id(world, viewer):
    for identifier, label in label_of("students").items():
        data = await world.data("query ($n: String!) { studentByNumber(studentNumber: $n) { id } }", VIEWERS[viewer], n=f"N-{label}")
        assert data["studentByNumber"] == ({"id": identifier} if label in expected("students", viewer) else None)


@pytest.mark.parametrize("viewer", list(VIEWERS))
async def test_settings_of_the_school_are_shown_to_every_user(world, viewer):
    answer = await world.ask("{ school { name } }", VIEWERS[viewer])
    if viewer in signed_in:
        assert answer.data["school"] == {"name": "Test School"}
    else:
        assert answer.data is None or answer.data["school"] is None
        assert answer.codes == ["UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"]


@pytest.mark.parametrize("viewer", signed_in)
async def test_a_viewer_is_shown_themselves_alone(world, viewer):
    data = (await world.data("{ viewer { user { id } student { id } teacher { id } guardian { id } } }", VIEWERS[viewer]))["viewer"]
    assert labels("user", [data["user"]]) == {viewer}
    for field, noun in (("student", "students"), ("teacher", "teachers"), ("guardian", "guardians")):
        own = {f"g_{viewer}" if noun == "guardians" and viewer == "eng" else viewer} & SEES[noun]["admin"]
        assert labels(noun, [data[field]]) == own


@pytest.mark.parametrize("viewer", [each for each in VIEWERS if each not in ("admin", "bursar")])
async def test_what_the_office_previews_is_refused_to_everybody_else(world, viewer):
    query = 'query ($f: ID!) { previewCharges(input: {feeCategoryId: $f, amount: "1", dueDate: "2026-03-01"}) { hash } }'
    answer = await world.ask(query, VIEWERS[viewer], f=next(iter(label_of("fee_categories"))))
    assert answer.data is None or answer.data["previewCharges"] is None
    assert answer.codes == ["UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"]


@pytest.mark.parametrize(("kind", "field", "noun"), [*TO_MANY, *TO_ONE])
async def test_every_edge_leads_somewhere_in_the_world(world, kind, field, noun):
    """Checks this because otherwise nothing would be compared with nothing."""
    selection = f"{field}(first: 1) {{ nodes {{ id }} }}" if (kind, field, noun) in TO_MANY else f"{field} {{ id }}"
    data = await world.data(
        f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {selection} }} }} }}", VIEWERS["admin"], ids=_parents(kind)
    )
    ends = [node[field] for node in data["nodes"]]
    assert any(end["nodes"] if "nodes" in (end or {}) else end for end in ends), (
        f"no {kind} of the world has {field}: add a row to tests/access/small_school.py"
    )
