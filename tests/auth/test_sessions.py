"""Tests refresh tokens: each works once, with tolerance for lost responses and two tabs; using one again later ends its session."""

import asyncio

import pytest

from auth.authenticator import Authenticator
from auth.jwt_access_tokens import LIFETIME
from auth.opaque_tokens import TokenType, generate_token, hash_token
from auth.sessions import GRACE, SESSION_LIFETIME, Granted
from execution.errors import Refusal
from resolvers.sign_in import refresh_session
from tests.auth.school import School


async def refresh(school: School, worker: Authenticator, token: str) -> Granted | str:
    try:
        return await refresh_session(school.context(worker), token)
    except Refusal as refusal:
        return refusal.code


async def reason(school: School, granted: Granted) -> str | None:
    found: str | None = await school.value("SELECT revoked_because FROM sessions WHERE id = $1", granted.session_id)
    return found


async def test_a_refresh_gives_new_tokens_of_the_same_session(school: School, worker: Authenticator) -> None:
    first, viewer = await school.signed_in(worker)
    school.clock.advance(minutes=14)
    second = await refresh(school, worker, first.refresh_token)
    assert isinstance(second, Granted)
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    assert second.session_expires_at == first.session_expires_at
    assert second.access_token_expires_at == school.clock.now() + LIFETIME
    assert await worker.viewer(f"Bearer {second.access_token}") == viewer
    assert isinstance(await refresh(school, worker, second.refresh_token), Granted)


async def test_only_hashes_are_stored(school: School, worker: Authenticator) -> None:
    granted, _ = await school.signed_in(worker)
    rows = await school.database.fetch("SELECT token_hash FROM refresh_tokens WHERE session_id = $1", granted.session_id)
    assert [row["token_hash"] for row in rows] == [hash_token(granted.refresh_token)]


async def test_a_used_token_that_comes_back_ends_the_session_for_thief_and_owner(school: School) -> None:
    one, other = await school.worker(), await school.worker()
    stolen, _ = await school.signed_in(one)
    owner = await refresh(school, one, stolen.refresh_token)
    assert isinstance(owner, Granted)
    school.clock.advance(seconds=GRACE.total_seconds() + 1)
    assert await refresh(school, other, stolen.refresh_token) == "UNAUTHENTICATED"
    assert await reason(school, stolen) == "TOKEN_REUSED"
    assert await refresh(school, one, owner.refresh_token) == "UNAUTHENTICATED"
    await one.wait_until_propagated()
    for worker in (one, other):
        with pytest.raises(Refusal):
            await worker.viewer(f"Bearer {owner.access_token}")


async def test_two_tabs_that_refresh_at_once_get_the_same_token(school: School) -> None:
    workers = [await school.worker() for _ in range(2)]
    first, _ = await school.signed_in(workers[0])
    answers = await asyncio.gather(*(refresh(school, workers[number % 2], first.refresh_token) for number in range(10)))
    assert len({each.refresh_token if isinstance(each, Granted) else each for each in answers}) == 1
    assert await reason(school, first) is None
    assert await school.value("SELECT count(*) FROM refresh_tokens WHERE session_id = $1", first.session_id) == 2
    last = answers[0]
    assert isinstance(last, Granted)
    school.clock.advance(minutes=14)
    assert isinstance(await refresh(school, workers[1], last.refresh_token), Granted)


async def test_an_answer_that_was_lost_can_be_asked_for_again(school: School, worker: Authenticator) -> None:
    first, _ = await school.signed_in(worker)
    lost = await refresh(school, worker, first.refresh_token)
    school.clock.advance(seconds=GRACE.total_seconds())
    again = await refresh(school, worker, first.refresh_token)
    assert isinstance(lost, Granted)
    assert isinstance(again, Granted)
    assert again.refresh_token == lost.refresh_token


async def test_the_answer_is_the_same_after_the_secret_was_replaced(school: School, worker: Authenticator) -> None:
    first, _ = await school.signed_in(worker)
    lost = await refresh(school, worker, first.refresh_token)
    replaced = await school.worker(secret_key="n" * 40, secret_key_previous=school.settings.secret_key)
    again = await refresh(school, replaced, first.refresh_token)
    assert isinstance(lost, Granted)
    assert isinstance(again, Granted)
    assert again.refresh_token == lost.refresh_token


async def test_no_second_chance_once_the_successor_was_used(school: School, worker: Authenticator) -> None:
    first, _ = await school.signed_in(worker)
    second = await refresh(school, worker, first.refresh_token)
    assert isinstance(second, Granted)
    assert isinstance(await refresh(school, worker, second.refresh_token), Granted)
    assert await refresh(school, worker, first.refresh_token) == "UNAUTHENTICATED"
    assert await reason(school, first) == "TOKEN_REUSED"


async def test_a_session_ends_after_thirty_days_however_often_it_was_refreshed(school: School, worker: Authenticator) -> None:
    granted, _ = await school.signed_in(worker)
    for _ in range(int(SESSION_LIFETIME.days / 2) - 1):
        school.clock.advance(days=2)
        answer = await refresh(school, worker, granted.refresh_token)
        assert isinstance(answer, Granted)
        granted = answer
    school.clock.advance(days=2)
    assert await refresh(school, worker, granted.refresh_token) == "UNAUTHENTICATED"
    # Only the used tokens of the last week are kept, and the valid one.
    assert await school.value("SELECT count(*) FROM refresh_tokens WHERE session_id = $1", granted.session_id) <= 5


async def test_a_token_nobody_issued_is_refused_and_ends_nothing(school: School, worker: Authenticator) -> None:
    granted, viewer = await school.signed_in(worker)
    for token in (
        generate_token(TokenType.REFRESH),
        generate_token(TokenType.SERVICE),
        granted.access_token,
        "",
        "rcr_",
        "\0",
        "\ud800",
        "x" * 100_000,
    ):
        assert await refresh(school, worker, token) == "UNAUTHENTICATED"
    assert await reason(school, granted) is None
    assert await worker.viewer(f"Bearer {granted.access_token}") == viewer


async def test_a_refresh_token_is_no_access_token(school: School, worker: Authenticator) -> None:
    granted, _ = await school.signed_in(worker)
    with pytest.raises(Refusal):
        await worker.viewer(f"Bearer {granted.refresh_token}")


@pytest.mark.parametrize("change", ["is_active = false", "role = 'BURSAR'"])
async def test_a_refresh_sees_what_became_of_the_user(school: School, worker: Authenticator, change: str) -> None:
    granted, _ = await school.signed_in(worker)
    await school.database.execute(f"UPDATE users SET {change} WHERE id = $1", granted.user_id)
    answer = await refresh(school, worker, granted.refresh_token)
    if "role" in change:
        assert isinstance(answer, Granted)
        assert (await worker.viewer(f"Bearer {answer.access_token}")).role == "BURSAR"
    else:
        assert answer == "UNAUTHENTICATED"
        assert await reason(school, granted) == "DEACTIVATED"
