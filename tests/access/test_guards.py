"""Tests that the access tests fail without each guard."""

import pytest
import pytest_asyncio

import db.query_compiler
from auth.capabilities import NOUNS, Capability
from config import Settings
from db.pool import Database
from db.query_templates import Fragment
from db.sql_catalog import queries
from schema.roots import CAPABILITY
from sized_cache import SizedCache
from tests.access import nouns
from tests.access.small_school import VIEWERS, build
from tests.access.table import FIELDS
from tests.access.test_access import ROOTS, expected, labels
from tests.graphql_school import SCHEMA, School

# By rule: the list, or the field of a list's rows, in which its absence shows.
SHOWN_BY = {
    "students": "students",
    "guardians": "guardians",
    "class_history": "student_class_history",
    "attendance": "attendance",
    "registers": "registers",
    "assessments": "assessments",
    "grades": "grades",
    "final_grades": "final_grades",
    "payments": "payments",
    "users": "user",
    "sessions": "sessions",
    "guardianships": "guardian_students",
    "students.birth_date": ("students", "birthDate"),
    "students.contact": ("students", "contact { email }"),
    "students.guardians": ("students", "guardians { nodes { id } }"),
    "teachers.private": ("teachers", "employeeNumber"),
    "users.private": ("user", "role"),
    "grade_reopenings": "grade_reopenings",
    "gateway_events": "gateway_events",
    "audit_log": "audit_log",
    "service_tokens": "service_tokens",
    **{each.rule: each.table for each in nouns.NOUNS},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(database_url):
    database = await Database.open(Settings(environment="test", pool_min_size=1), database_url)
    async with database.acquire() as connection:
        await build(connection)
        await connection.execute(
            "INSERT INTO service_tokens (name, token_hash, scopes) VALUES ('dashboard', sha256('x'), ARRAY['health:read'])"
        )
    yield School(database)
    await database.close()


@pytest.fixture
def without(monkeypatch):
    """Returns a function that removes a visibility rule."""

    def remove(noun: str) -> None:
        monkeypatch.setitem(queries._visibility, noun, Fragment("true", queries._visibility[noun].alias))
        monkeypatch.setattr(db.query_compiler, "COMPILED", SizedCache(1 << 20))

    return remove


def test_every_rule_is_known_here_and_to_the_roles():
    for rule in sorted(queries.visible_nouns - SHOWN_BY.keys()):
        pytest.fail(
            f"nothing shows that the rule {rule} matters: name what opens without it in SHOWN_BY, or as `rule` of the noun's NOUN (tests/nouns/test_<noun>.py)"
        )
    assert set(SHOWN_BY) == set(queries.visible_nouns) == set(NOUNS)


@pytest.mark.parametrize("rule", [rule for rule, shown in SHOWN_BY.items() if shown in ROOTS])
async def test_without_a_rule_a_teacher_of_nobody_sees_rows(world, without, rule):
    noun = SHOWN_BY[rule]
    tag = ROOTS[noun][0]
    known = [f"{tag}_{one.hex}" for one in [row["id"] for row in await world.database.fetch(f"SELECT id FROM {_table(noun)}")]]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    before = await world.data(query, VIEWERS["idle"], ids=known)
    assert labels(noun, before["nodes"]) == expected(noun, "idle")
    without(rule)
    after = await world.data(query, VIEWERS["idle"], ids=known)
    assert len([node for node in after["nodes"] if node]) > len(expected(noun, "idle"))


@pytest.mark.parametrize("rule", [rule for rule, shown in SHOWN_BY.items() if isinstance(shown, tuple)])
async def test_without_a_rule_a_field_opens(world, without, rule):
    noun, field = SHOWN_BY[rule]
    viewer = "bursar" if rule in ("students.birth_date", "users.private") else "math"
    query = f"{{ {ROOTS[noun][1]}(first: 100) {{ nodes {{ id {field} }} }} }}"
    assert len(FIELDS[noun, field].get(viewer, ())) < len(expected(noun, viewer))
    assert (await world.ask(query, VIEWERS[viewer])).errors
    without(rule)
    assert not (await world.ask(query, VIEWERS[viewer])).errors


@pytest.mark.parametrize(("rule", "tag"), [("audit_log", "aud"), ("service_tokens", "svt")])
async def test_without_a_rule_what_is_the_administrators_alone_opens_by_its_id(world, without, rule, tag):
    table = {"aud": "audit_logs", "svt": "service_tokens"}[tag]
    identifier = await world.id(tag, f"SELECT id FROM {table} LIMIT 1")
    query = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await world.data(query, VIEWERS["bursar"], id=identifier))["node"] is None
    without(rule)
    assert (await world.data(query, VIEWERS["bursar"], id=identifier))["node"] is not None


def test_every_root_field_declares_a_capability():
    """Checks this for public fields as well, which declare it explicitly."""
    for name in ("query_type", "mutation_type"):
        root = getattr(SCHEMA._schema, name)
        for field_name, field in (root.fields if root else {}).items():
            declared = field.extensions["strawberry-definition"].metadata.get(CAPABILITY)
            assert isinstance(declared, Capability), f"{root.name}.{field_name} declares no capability"


def test_only_these_root_fields_are_public():
    public = {
        field_name
        for root in (SCHEMA._schema.query_type, SCHEMA._schema.mutation_type)
        for field_name, field in (root.fields if root else {}).items()
        if field.extensions["strawberry-definition"].metadata[CAPABILITY] is Capability.PUBLIC
    }
    assert public == {"viewer", "signIn", "refreshSession", "resetPassword"}


def _table(noun: str) -> str:
    return "users" if noun == "user" else noun
