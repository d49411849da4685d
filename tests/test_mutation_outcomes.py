"""Tests that clients learn the outcome of a mutation: that it was done although its result cannot be read, or that its outcome is unknown."""

from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest_asyncio

from db.pool import PoolTimeoutError
from tests.in_process_server import serving

CREATE = """mutation ($code: String!) {
    createSubject(input: {code: $code, name: "Whether"}) { subject { code } userErrors { code } }
}"""


@pytest_asyncio.fixture(params=["breadth_first", "graphql_core"], scope="module", loop_scope="session")
async def client(request, demo_url):
    async with serving(demo_url, executor=request.param) as client:
        yield client


@pytest_asyncio.fixture
async def create(client):
    token = await client.token("admin@demo.school")

    async def ask():
        return (await client.post(CREATE, token=token, variables={"code": uuid4().hex[:8].upper()})).json()

    return ask


def codes_by_path(answer):
    return [(each["path"], each["extensions"]["code"]) for each in answer["errors"]]


async def test_an_object_that_cannot_be_read_after_it_was_written_is_the_error_of_its_own_field(client, create, monkeypatch):
    async def busy(*_, **__):
        raise PoolTimeoutError("busy")

    # Breaks what loaders read with; mutations write on a separate connection.
    monkeypatch.setattr(client.app.state.services.database, "fetch", busy)
    answer = await create()
    assert answer["data"] == {"createSubject": {"subject": None, "userErrors": []}}
    assert codes_by_path(answer) == [(["createSubject", "subject"], "POOL_TIMEOUT")]


@contextmanager
def ending(url, trigger):
    """Installs a trigger that ends the connection of a transaction that adds a subject."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("""
            CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(5);
                RETURN NEW;
            END $$
        """)
        connection.execute(f"CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION end_it()")
        yield
        connection.execute("DROP TRIGGER end_it ON subjects; DROP FUNCTION end_it")


async def test_a_connection_that_is_lost_while_it_commits_leaves_the_outcome_unknown(create, demo_url):
    with ending(demo_url, "CONSTRAINT TRIGGER end_it AFTER INSERT ON subjects DEFERRABLE INITIALLY DEFERRED"):
        answer = await create()
    assert codes_by_path(answer) == [(["createSubject"], "OUTCOME_UNKNOWN")]
    assert "unknown whether the change was saved" in answer["errors"][0]["message"]


async def test_a_connection_that_is_lost_before_it_commits_has_written_nothing(create, demo_url):
    with ending(demo_url, "TRIGGER end_it AFTER INSERT ON subjects"):
        answer = await create()
    assert codes_by_path(answer) == [(["createSubject"], "DATABASE_UNAVAILABLE")]
