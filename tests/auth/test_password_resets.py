"""Tests password resets: they work once, in time and for active accounts; and which sessions end with a new password."""

import asyncio
from datetime import timedelta

import pytest

from auth.authenticator import Authenticator
from auth.opaque_tokens import TokenType, generate_token, hash_token, is_well_formed
from auth.sessions import Granted
from auth.throttle import ACCOUNT
from auth.viewer import Viewer
from execution.errors import Refusal
from resolvers.password_resets import IssuedReset, issue_password_reset, reset_password
from resolvers.sign_in import sign_in
from resolvers.user_errors import UserError
from tests.auth.school import PASSWORD, School

NEW = "a new and longer password"


@pytest.fixture
async def administrator(school: School, worker: Authenticator) -> Viewer:
    return (await school.signed_in(worker, "ADMIN"))[1]


async def issue(school: School, worker: Authenticator, administrator: Viewer, email: str, hours: int = 24) -> IssuedReset:
    user_id = await school.value("SELECT id FROM users WHERE email = $1", email)
    issued = await issue_password_reset(school.context(worker, administrator), user_id, hours)
    assert isinstance(issued, IssuedReset)
    return issued


async def use(school: School, worker: Authenticator, token: str, password: str = NEW) -> str:
    answer = await reset_password(school.context(worker), token, password)
    return answer.code if isinstance(answer, UserError) else "reset"


async def enters(school: School, worker: Authenticator, email: str, password: str) -> bool:
    return isinstance(await sign_in(school.context(worker), email, password), Granted)


async def test_a_first_password_by_a_reset(school: School, worker: Authenticator, administrator: Viewer) -> None:
    user_id, email = await school.person(password=None)
    issued = await issue(school, worker, administrator, email)
    assert is_well_formed(TokenType.PASSWORD_RESET, issued.token)
    assert issued.expires_at == school.clock.now() + timedelta(hours=24)
    assert await school.value("SELECT token_hash FROM password_resets WHERE user_id = $1", user_id) == hash_token(issued.token)
    granted = await reset_password(school.context(worker), issued.token, NEW)
    assert isinstance(granted, Granted)
    assert (await worker.viewer(f"Bearer {granted.access_token}")).user_id == user_id
    assert await enters(school, worker, email, NEW)


async def test_it_works_once(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    issued = await issue(school, worker, administrator, email)
    assert await use(school, worker, issued.token) == "reset"
    assert await use(school, worker, issued.token, "yet another password") == "RESET_NOT_VALID"
    assert await enters(school, worker, email, NEW)
    assert not await enters(school, worker, email, PASSWORD)


async def test_it_works_once_when_used_twice_at_the_same_time(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    issued = await issue(school, worker, administrator, email)
    passwords = [f"password number {number}" for number in range(5)]
    answers = await asyncio.gather(*(use(school, worker, issued.token, each) for each in passwords))
    assert sorted(answers) == ["RESET_NOT_VALID"] * 4 + ["reset"]
    assert [await enters(school, worker, email, each) for each in passwords] == [each == "reset" for each in answers]


async def test_it_ends_every_session(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    granted, _ = await school.signed_in(worker, email=email)
    issued = await issue(school, worker, administrator, email)
    assert await worker.viewer(f"Bearer {granted.access_token}")
    assert await use(school, worker, issued.token) == "reset"
    with pytest.raises(Refusal):
        await worker.viewer(f"Bearer {granted.access_token}")


async def test_it_lets_in_who_is_kept_out_by_a_stranger(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    stranger = school.context(worker, address="198.51.100.66")
    for _ in range(ACCOUNT.free + 1):
        await sign_in(stranger, email, "wrong")
    with pytest.raises(Refusal):
        await sign_in(school.context(worker), email, PASSWORD)
    issued = await issue(school, worker, administrator, email)
    assert await use(school, worker, issued.token) == "reset"
    # After that, the network counts as known for them.
    assert await enters(school, worker, email, NEW)


async def test_it_expires(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    issued = await issue(school, worker, administrator, email, hours=1)
    school.clock.advance(hours=1)
    assert await use(school, worker, issued.token) == "RESET_NOT_VALID"
    assert await enters(school, worker, email, PASSWORD)


async def test_a_newer_one_ends_an_older_one(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    older = await issue(school, worker, administrator, email)
    newer = await issue(school, worker, administrator, email)
    assert await use(school, worker, older.token) == "RESET_NOT_VALID"
    assert await use(school, worker, newer.token) == "reset"


async def test_a_refused_password_leaves_it_good(school: School, worker: Authenticator, administrator: Viewer) -> None:
    _, email = await school.person()
    issued = await issue(school, worker, administrator, email)
    assert await use(school, worker, issued.token, "short") == "PASSWORD_TOO_SHORT"
    assert await use(school, worker, issued.token, email) == "PASSWORD_IS_EMAIL"
    assert await enters(school, worker, email, PASSWORD)
    assert await use(school, worker, issued.token) == "reset"


async def test_tokens_that_nobody_issued(school: School, worker: Authenticator) -> None:
    granted, _ = await school.signed_in(worker)
    for token in (
        generate_token(TokenType.PASSWORD_RESET),
        generate_token(TokenType.REFRESH),
        granted.refresh_token,
        "",
        "\0",
        "\ud800",
        "x" * 100_000,
    ):
        assert await use(school, worker, token) == "RESET_NOT_VALID"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("is_active = false", "USER_NOT_ACTIVE"),
        ("password_hash = NULL, email = NULL", "USER_WITHOUT_EMAIL"),
    ],
)
async def test_none_for_those_who_cannot_sign_in(
    school: School, worker: Authenticator, administrator: Viewer, change: str, code: str
) -> None:
    user_id, email = await school.person()
    issued = await issue(school, worker, administrator, email)
    await school.database.execute(f"UPDATE users SET {change} WHERE id = $1", user_id)
    answer = await issue_password_reset(school.context(worker, administrator), user_id)
    assert isinstance(answer, UserError)
    assert answer.code == code
    assert await use(school, worker, issued.token) == "RESET_NOT_VALID"
    assert await school.value("SELECT count(*) FROM password_resets WHERE user_id = $1", user_id) == 1


@pytest.mark.parametrize("hours", [0, -1, 169])
async def test_none_that_is_good_for_ever(school: School, worker: Authenticator, administrator: Viewer, hours: int) -> None:
    user_id, _ = await school.person()
    answer = await issue_password_reset(school.context(worker, administrator), user_id, hours)
    assert isinstance(answer, UserError)
    assert answer.code == "OUT_OF_RANGE"
    assert await school.value("SELECT count(*) FROM password_resets WHERE user_id = $1", user_id) == 0


async def test_none_for_nobody(school: School, worker: Authenticator, administrator: Viewer) -> None:
    assert administrator.session_id is not None
    answer = await issue_password_reset(school.context(worker, administrator), administrator.session_id)
    assert isinstance(answer, UserError)
    assert answer.code == "NOT_FOUND"


async def test_none_by_who_is_no_administrator_any_more(school: School, worker: Authenticator, administrator: Viewer) -> None:
    user_id, _ = await school.person()
    await school.database.execute("UPDATE users SET role = 'TEACHER' WHERE id = $1", administrator.user_id)
    with pytest.raises(Refusal) as refusal:
        await issue_password_reset(school.context(worker, administrator), user_id)
    assert refusal.value.code == "FORBIDDEN"
    assert await school.value("SELECT count(*) FROM password_resets WHERE user_id = $1", user_id) == 0
