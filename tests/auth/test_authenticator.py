"""Tests that any Authorization header leads to its viewer, or to UNAUTHENTICATED and nothing else."""

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.authenticator import Authenticator
from auth.opaque_tokens import TokenType, generate_token
from db.pool import Database
from execution.errors import Refusal
from tests.auth.school import School

TEXTS = st.text() | st.text(alphabet="abcXYZ019._-~+/= ", max_size=100) | st.binary(max_size=200).map(lambda data: data.decode("latin-1"))
HEADERS = (
    TEXTS
    | st.tuples(st.sampled_from(["Bearer ", "bearer  ", "Basic ", "Bearer", "BEARER\t"]), TEXTS).map("".join)
    | st.tuples(TEXTS, TEXTS, TEXTS).map(lambda parts: f"Bearer {'.'.join(parts)}")
    | st.builds(lambda kind, tail: f"Bearer {generate_token(kind)}{tail}", st.sampled_from(TokenType), st.text(max_size=2))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(header=HEADERS)
async def test_garbage_is_unauthenticated_and_nothing_else(worker: Authenticator, header: str) -> None:
    with pytest.raises(Refusal) as refusal:
        await worker.viewer(header)
    assert refusal.value.code == "UNAUTHENTICATED"
    assert len(worker._cache) == 0


async def test_a_header_that_is_too_long_is_not_looked_into(school: School, worker: Authenticator) -> None:
    granted, _ = await school.signed_in(worker)
    with pytest.raises(Refusal):
        await worker.viewer(f"Bearer {granted.access_token}{'x' * 2000}")
    with pytest.raises(Refusal):
        await worker.viewer(f"Bearer {' ' * 2000}{granted.access_token}")


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER   {}", " Bearer {} "])
async def test_the_scheme_may_be_written_in_any_case(school: School, worker: Authenticator, header: str) -> None:
    granted, viewer = await school.signed_in(worker)
    assert await worker.viewer(header.format(granted.access_token)) == viewer


async def test_a_token_is_remembered_once_however_its_header_is_written(school: School, worker: Authenticator) -> None:
    granted, viewer = await school.signed_in(worker)
    for header in ("Bearer {}", "bearer {}", "BEARER   {}", " Bearer {} "):
        assert await worker.viewer(header.format(granted.access_token)) == viewer
    assert len(worker._cache) == 1
    with pytest.raises(Refusal):
        await worker.viewer(f"Basic {granted.access_token}")


async def test_a_token_of_another_school_is_refused(school: School, worker: Authenticator) -> None:
    elsewhere = await school.worker(secret_key="the secret of another school, of forty characters")
    granted, _ = await school.signed_in(elsewhere)
    with pytest.raises(Refusal):
        await worker.viewer(f"Bearer {granted.access_token}")


async def test_a_database_that_does_not_answer_is_not_mistaken_for_a_bad_token(school: School, worker: Authenticator) -> None:
    granted, viewer = await school.signed_in(worker)
    closed = await Database.open(school.settings, school.url)
    other = Authenticator(closed, school.settings, school.url, clock=school.clock)
    await other.start()
    await closed.close()
    try:
        with pytest.raises(asyncpg.InterfaceError):
            await other.viewer(f"Bearer {granted.access_token}")
    finally:
        await other.stop()
    # While the token is cached and revocations are received, the database is not queried.
    assert await worker.viewer(f"Bearer {granted.access_token}") == viewer
