"""Tests service tokens: they are shown once, stored hashed, give access to their scopes only, and end when they are revoked or expire."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from auth.authenticator import Authenticator
from auth.capabilities import Capability, has_capability
from auth.opaque_tokens import TokenType, hash_token, is_well_formed
from auth.viewer import Viewer
from execution.errors import Refusal
from resolvers.service_tokens import ServiceToken, create_service_token, revoke_service_token
from resolvers.user_errors import UserError
from tests.auth.school import School, viewer_of
from tests.polling import until


async def made(school: School, worker: Authenticator, lifetime: timedelta | None = None) -> tuple[ServiceToken, str, Viewer]:
    _, administrator = await school.signed_in(worker, "ADMIN")
    expires_at = None if lifetime is None else school.clock.now() + lifetime
    answer = await create_service_token(school.context(worker, administrator), "Dashboard", ["health:read"], expires_at)
    assert not isinstance(answer, UserError)
    return *answer, administrator


async def is_good(worker: Authenticator, token: str) -> bool:
    viewer = await viewer_of(worker, token)
    assert viewer in (None, Viewer(None, None, None, frozenset({"health:read"})))
    return viewer is not None


async def test_a_token_opens_its_scope_and_nothing_else(school: School, worker: Authenticator) -> None:
    _, token, _ = await made(school, worker)
    assert is_well_formed(TokenType.SERVICE, token)
    viewer = await worker.viewer(f"Bearer {token}")
    opened = {each for each in Capability if has_capability(viewer, each)}
    assert opened == {Capability.PUBLIC, Capability.SEE_STATUS, Capability.READ_HEALTH}


async def test_it_is_stored_hashed_with_who_made_it(school: School, worker: Authenticator) -> None:
    row, token, administrator = await made(school, worker)
    stored = await school.database.fetchrow("SELECT token_hash, created_by, scopes FROM service_tokens WHERE id = $1", row["id"])
    assert tuple(stored) == (hash_token(token), administrator.user_id, ["health:read"])
    assert await school.value("SELECT user_id FROM audit_logs WHERE record_id = $1", row["id"]) == administrator.user_id


async def test_it_ends_when_it_expires_also_where_it_is_remembered(school: School, worker: Authenticator) -> None:
    _, token, _ = await made(school, worker, timedelta(minutes=5))
    assert await is_good(worker, token)
    school.clock.advance(minutes=4, seconds=59)
    await worker.wait_until_propagated()
    assert await is_good(worker, token)
    school.clock.advance(seconds=1)
    assert worker.is_listening
    assert not await is_good(worker, token)


async def test_it_ends_when_it_is_revoked_in_every_worker(school: School) -> None:
    here, there = await school.worker(), await school.worker()
    row, token, administrator = await made(school, here)
    _, other, _ = await made(school, here)
    for worker in (here, there):
        assert await is_good(worker, token)
        assert await is_good(worker, other)
    revoked = await revoke_service_token(school.context(here, administrator), row["id"])
    assert isinstance(revoked, ServiceToken)
    assert revoked.revoked_at == school.clock.now()
    assert not await is_good(here, token)
    await there.wait_until_propagated()
    assert not await is_good(there, token)
    assert await is_good(there, other)
    school.clock.advance(minutes=1)
    again = await revoke_service_token(school.context(here, administrator), row["id"])
    assert isinstance(again, ServiceToken)
    assert again.revoked_at == revoked.revoked_at


async def test_its_use_is_noted_once_a_minute_and_not_in_the_audit(school: School, worker: Authenticator) -> None:
    row, token, _ = await made(school, worker)
    written = 0
    execute = school.database.execute

    async def counted(sql: str, *arguments: Any) -> str:
        nonlocal written
        written += "touch_service_token" in sql
        return await execute(sql, *arguments)

    school.database.execute = counted  # type: ignore[method-assign]
    for minute in range(3):
        for _ in range(10):
            assert await is_good(worker, token)
        await asyncio.gather(*(task for task in worker._tasks if "_write_last_use" in repr(task)))
        assert written == minute + 1
        assert await school.value("SELECT last_used_at FROM service_tokens WHERE id = $1", row["id"]) == school.clock.now()
        school.clock.advance(minutes=1)
    assert await school.value("SELECT count(*) FROM audit_logs WHERE record_id = $1", row["id"]) == 1


async def test_its_use_is_noted_once_a_minute_by_all_workers_together(school: School) -> None:
    one, other = await school.worker(), await school.worker()
    row, token, _ = await made(school, one)
    assert await is_good(one, token)
    await until(lambda: not any("_write_last_use" in repr(task) for task in one._tasks))
    first = school.clock.now()
    school.clock.advance(seconds=59)
    assert await is_good(other, token)
    await until(lambda: not any("_write_last_use" in repr(task) for task in other._tasks))
    assert await school.value("SELECT last_used_at FROM service_tokens WHERE id = $1", row["id"]) == first


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime", "code"),
    [
        ("", ["health:read"], None, "NAME_NOT_VALID"),
        (" ", ["health:read"], None, "NAME_NOT_VALID"),
        ("x" * 101, ["health:read"], None, "NAME_NOT_VALID"),
        ("nul\0", ["health:read"], None, "NAME_NOT_VALID"),
        ("Dashboard", [], None, "SCOPE_NOT_VALID"),
        ("Dashboard", ["health:read", "grades:write"], None, "SCOPE_NOT_VALID"),
        ("Dashboard", ["health:read"], timedelta(0), "IN_PAST"),
    ],
)
async def test_a_token_that_makes_no_sense_is_not_made(
    school: School, worker: Authenticator, name: str, scopes: list[str], lifetime: timedelta | None, code: str
) -> None:
    _, administrator = await school.signed_in(worker, "ADMIN")
    before = await school.value("SELECT count(*) FROM service_tokens")
    expires_at = None if lifetime is None else school.clock.now() + lifetime
    answer = await create_service_token(school.context(worker, administrator), name, scopes, expires_at)
    assert isinstance(answer, UserError)
    assert answer.code == code
    assert await school.value("SELECT count(*) FROM service_tokens") == before


async def test_who_is_no_administrator_any_more_makes_and_ends_none(school: School, worker: Authenticator) -> None:
    row, token, administrator = await made(school, worker)
    before = await school.value("SELECT count(*) FROM service_tokens")
    await school.database.execute("UPDATE users SET role = 'TEACHER' WHERE id = $1", administrator.user_id)
    # The request began before the notification arrived, and still has the old viewer.
    context = school.context(worker, administrator)
    with pytest.raises(Refusal) as refusal:
        await create_service_token(context, "Another", ["health:read"], None)
    assert refusal.value.code == "FORBIDDEN"
    with pytest.raises(Refusal):
        await revoke_service_token(context, row["id"])
    assert await school.value("SELECT count(*) FROM service_tokens") == before
    assert await is_good(worker, token)


async def test_a_token_that_does_not_exist_cannot_be_revoked(school: School, worker: Authenticator) -> None:
    granted, administrator = await school.signed_in(worker, "ADMIN")
    answer = await revoke_service_token(school.context(worker, administrator), granted.session_id)
    assert isinstance(answer, UserError)
    assert answer.code == "NOT_FOUND"
