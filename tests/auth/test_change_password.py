"""Tests changing the viewer's own password."""

import pytest

from auth.authenticator import Authenticator
from execution.errors import Refusal
from resolvers.password_resets import issue_password_reset
from resolvers.sign_in import change_password
from tests.auth.school import PASSWORD, School, attempt, is_good

NEW = "a new and longer password"


async def test_changing_the_password_ends_the_other_sessions_and_open_resets(school: School, worker: Authenticator) -> None:
    user_id, email = await school.person()
    other, _ = await school.signed_in(worker, email=email)
    mine, viewer = await school.signed_in(worker, email=email)
    _, administrator = await school.signed_in(worker, "ADMIN")
    await issue_password_reset(school.context(worker, administrator), user_id)
    assert await change_password(school.context(worker, viewer), PASSWORD, NEW) is None
    assert await is_good(worker, mine)
    assert not await is_good(worker, other)
    assert await attempt(school, worker, email) == "WRONG_CREDENTIALS"
    assert await attempt(school, worker, email, NEW) == "in"
    assert await school.value("SELECT password_changed_at FROM users WHERE id = $1", user_id) == school.clock.now()
    assert (
        await school.value("SELECT count(*) FROM password_resets WHERE user_id = $1 AND expires_at > $2", user_id, school.clock.now()) == 0
    )


@pytest.mark.parametrize(
    ("current", "new", "code"),
    [
        ("wrong", NEW, "WRONG_PASSWORD"),
        (PASSWORD, "short", "PASSWORD_TOO_SHORT"),
        (PASSWORD, "password123", "PASSWORD_TOO_COMMON"),
        (PASSWORD, PASSWORD, "PASSWORD_UNCHANGED"),
    ],
)
async def test_a_refused_change_changes_nothing(school: School, worker: Authenticator, current: str, new: str, code: str) -> None:
    user_id, email = await school.person()
    other, _ = await school.signed_in(worker, email=email)
    _, viewer = await school.signed_in(worker, email=email)
    before = await school.value("SELECT password_hash FROM users WHERE id = $1", user_id)
    error = await change_password(school.context(worker, viewer), current, new)
    assert error is not None
    assert error.code == code
    assert await school.value("SELECT password_hash FROM users WHERE id = $1", user_id) == before
    assert await is_good(worker, other)


async def test_a_password_that_is_changed_elsewhere_meanwhile_is_not_changed_again(
    school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, email = await school.person()
    _, viewer = await school.signed_in(worker, email=email)
    hash_password = worker.passwords.hash

    async def changed_after_hashing(password: str) -> str:
        """Runs a function between verifying the old password and writing the new one."""
        hashed = await hash_password(password)
        await school.database.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, await hash_password("from elsewhere"))
        return hashed

    monkeypatch.setattr(worker.passwords, "hash", changed_after_hashing)
    error = await change_password(school.context(worker, viewer), PASSWORD, NEW)
    assert error is not None
    assert error.code == "PASSWORD_CHANGED_MEANWHILE"
    monkeypatch.undo()
    assert await attempt(school, worker, email, "from elsewhere") == "in"
    assert await attempt(school, worker, email, NEW) == "WRONG_CREDENTIALS"


async def test_a_stolen_session_does_not_let_guess_the_password(school: School, worker: Authenticator) -> None:
    _, viewer = await school.signed_in(worker)
    context = school.context(worker, viewer)
    answers = [await change_password(context, f"guess {number}", NEW) for number in range(6)]
    assert {answer and answer.code for answer in answers} == {"WRONG_PASSWORD"}
    with pytest.raises(Refusal) as refusal:
        await change_password(context, PASSWORD, NEW)
    assert refusal.value.code == "RATE_LIMITED"


async def test_a_session_that_ended_meanwhile_changes_no_password(school: School, worker: Authenticator) -> None:
    granted, viewer = await school.signed_in(worker)
    await school.database.execute("UPDATE sessions SET revoked_at = now(), revoked_because = 'REVOKED' WHERE id = $1", granted.session_id)
    before = await school.value("SELECT password_hash FROM users WHERE id = $1", viewer.user_id)
    with pytest.raises(Refusal) as refusal:
        await change_password(school.context(worker, viewer), PASSWORD, NEW)
    assert refusal.value.code == "UNAUTHENTICATED"
    assert await school.value("SELECT password_hash FROM users WHERE id = $1", viewer.user_id) == before
