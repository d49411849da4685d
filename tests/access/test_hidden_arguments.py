"""Tests that hidden values cannot be inferred by sorting or filtering by them, for every role, through lists, counts and edges."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import pytest_asyncio

from config import Settings
from db.pool import Database
from execution.fields import EDGE, GUARD
from schema.connections import Listing
from tests.access.small_school import VIEWERS, build, uid
from tests.access.test_access import expected, label_of, labels, signed_in
from tests.graphql_school import SCHEMA, School

# All other viewers see every field of the users that they see.
NAMES_ONLY = {"bursar"}
SEE_ALL_USERS = {"admin", "bursar"}
BY_USERS_PRIVATE = {
    "orderBy": "orderBy: {field: CREATED_AT}",
    "filter.roles": "filter: {roles: [ADMIN]}",
    "filter.isActive": "filter: {isActive: true}",
    "filter.email": 'filter: {email: "ann@test.school"}',
}  # fmt: skip
BY_USER_IDS = {"attendance": "markedByIds", "grades": "recordedByIds", "charges": "processedByIds"}
NOBODY = "usr_" + "0" * 32


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database_url):
    database = await Database.open(Settings(environment="test", pool_min_size=1), database_url)
    async with database.acquire() as connection:
        await build(connection)
    yield School(database)
    await database.close()


def user(label):
    return f"usr_{uid(f'user:{label}').hex}"


def refused(answer):
    """Returns the arguments that are refused, all in one FORBIDDEN error."""
    if not answer.errors:
        return set()
    assert answer.codes == ["FORBIDDEN"]
    return {each["argument"] for each in answer.errors[0]["extensions"]["problems"]}


@pytest.mark.parametrize("selected", ["nodes { id }", "totalCount", "pageInfo { endCursor }"])
@pytest.mark.parametrize("argument", BY_USERS_PRIVATE)
@pytest.mark.parametrize("viewer", signed_in)
async def test_users_are_not_sorted_or_filtered_by_what_is_hidden_of_them(world, viewer, argument, selected):
    answer = await world.ask(f"{{ users({BY_USERS_PRIVATE[argument]}) {{ {selected} }} }}", VIEWERS[viewer])
    assert refused(answer) == ({argument} if viewer in NAMES_ONLY else set())


async def test_all_that_is_hidden_is_told_at_once(world):
    answer = await world.ask(
        '{ users(orderBy: {field: CREATED_AT}, filter: {roles: [ADMIN], email: "x", lastNamePrefix: "a"}) { totalCount } }',
        VIEWERS["bursar"],
    )
    assert refused(answer) == {"orderBy", "filter.roles", "filter.email"}
    assert answer.statements == 0


@pytest.mark.parametrize("named", ["self", "homeroom", "nobody"])
@pytest.mark.parametrize(("root", "argument"), BY_USER_IDS.items())
@pytest.mark.parametrize("viewer", signed_in)
async def test_a_filter_by_users_takes_those_that_the_viewer_sees(world, viewer, root, argument, named):
    """Checks that an unknown id is refused like that of a hidden user, so that the two cannot be told apart."""
    given = {"self": user(viewer), "homeroom": user("homeroom"), "nobody": NOBODY}[named]
    sees = viewer in SEE_ALL_USERS or given == user(viewer)
    for selected in ("nodes { id }", "totalCount"):
        answer = await world.ask(
            f"query ($ids: [ID!]) {{ {root}(filter: {{{argument}: $ids}}) {{ {selected} }} }}", VIEWERS[viewer], ids=[given]
        )
        assert refused(answer) == (set() if sees else {f"filter.{argument}"})


@pytest.mark.parametrize("selected", ["nodes { id }", "nodes { id } totalCount", "totalCount"])
@pytest.mark.parametrize(("edge", "argument"), BY_USER_IDS.items())
@pytest.mark.parametrize("viewer", ["g_ann", "ann", "homeroom", "math"])
async def test_an_edge_is_filtered_no_more_than_its_list(world, viewer, edge, argument, selected):
    """Checks this for both ways of loading an edge: its own loader, and JSON written by the statement of its parents."""

    def query(*ids):
        given = ", ".join(f'"{each}"' for each in ids)
        return f"{{ students {{ nodes {{ {edge}(filter: {{{argument}: [{given}]}}) {{ {selected} }} }} }} }}"

    assert not (await world.ask(query(user(viewer)), VIEWERS[viewer])).errors
    answer = await world.ask(query(user(viewer), user("admin")), VIEWERS[viewer])
    assert answer.errors
    assert set(answer.codes) == {"FORBIDDEN"}
    assert not (await world.ask(query(user("homeroom")), VIEWERS["admin"])).errors


@pytest.mark.parametrize("viewer", signed_in)
async def test_guardians_are_filtered_by_students_only_where_the_viewer_sees_who_is_whose_guardian(world, viewer):
    """Checks that a pupil in the viewer's class does not reveal the other children of the pupil's guardian."""
    query = "query ($ids: [ID!]) { guardians(filter: {studentIds: $ids}) { totalCount nodes { id students { totalCount nodes { id } } } } }"
    links = {tuple(link.split("-")) for link in expected("guardian_students", viewer)}
    for identifier, student in label_of("students").items():
        found = (await world.data(query, VIEWERS[viewer], ids=[identifier]))["guardians"]
        assert labels("guardians", found["nodes"]) == {guardian for guardian, child in links if child == student}
        assert found["totalCount"] == len(found["nodes"])
        for node in found["nodes"]:
            children = {child for guardian, child in links if guardian == label_of("guardians")[node["id"]]}
            assert labels("students", node["students"]["nodes"]) == children
            assert node["students"]["totalCount"] == len(children)


def listings():
    root = Path(__file__).parents[2]
    for path in sorted((root / "schema").rglob("*.py")):
        module = import_module(".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"))
        for found in vars(module).values():
            if isinstance(found, Listing) and found.query.name not in seen:
                seen.add(found.query.name)
                yield found


seen: set[str] = set()
LISTINGS = list(listings())


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda each: each.query.name)
def test_every_order_and_filter_by_a_field_that_may_be_hidden_is_guarded(listing):
    """Finds them by the columns that they read: those of guarded fields, of hidden contacts, and of edges to users."""
    fields = SCHEMA._schema.type_map[listing.row.type_name].fields.values()
    hidden, by_user = set(), set()
    for each in fields:
        metadata = each.extensions["strawberry-definition"].metadata
        if GUARD in metadata:
            column = metadata[GUARD].column
            hidden |= {column} if column else {"email", "phone", "address"}
        if EDGE in metadata and metadata[EDGE].loader.name == "users by id":
            by_user.add(metadata[EDGE].key)
    query = listing.query
    chosen = {name: order.sql for name, order in query.orders.items()} | {
        name.partition("=")[0]: sql for name, sql in query.filters.items()
    }
    reads = {name: set(re.findall(r"\b[a-z]+\.([a-z_]+)", sql)) for name, sql in chosen.items()}
    assert {name for name, columns in reads.items() if columns & hidden} == set(query.guards)
    assert {name for name, columns in reads.items() if columns & by_user} == set(query.id_guards)


def test_the_lists_are_all_here():
    assert {"users", "students", "attendance", "grades", "payments", "teachers", "audit_log", "sessions"} <= seen
