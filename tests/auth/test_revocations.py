"""Tests that revocations take effect from the next request: immediately in the same worker, in others when notified, and also without a listener."""

import asyncio
from typing import Any

import pytest

from auth.authenticator import Authenticator
from auth.sessions import Granted
from auth.viewer import Viewer
from config import Settings
from execution.errors import Refusal
from resolvers.sign_in import sign_out
from tests.auth.school import HandClock, School, viewer_of
from tests.auth.tcp_proxy import FreezableProxy
from tests.polling import until


async def role(worker: Authenticator, granted: Granted) -> str | None:
    """Returns the current role of the token's user; None if the token is refused."""
    viewer = await viewer_of(worker, granted.access_token)
    return viewer and viewer.role


class Asked:
    """Counts the statements that authenticators run."""

    def __init__(self, school: School, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        fetchval = school.database.fetchval

        async def counted(sql: str, *arguments: Any) -> Any:
            self.times += "viewer_of_session" in sql
            return await fetchval(sql, *arguments)

        monkeypatch.setattr(school.database, "fetchval", counted)


@pytest.fixture
async def asked(school: School, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(school, monkeypatch)


async def kill_listeners(connection: Any) -> None:
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'rollcall revocations' AND datname = current_database()"
    )


async def test_a_verified_token_is_not_asked_about_again(school: School, worker: Authenticator, asked: Asked) -> None:
    granted, _ = await school.signed_in(worker)
    before = asked.times
    for _ in range(5):
        assert await role(worker, granted) == "TEACHER"
    assert asked.times == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE users SET role = 'BURSAR' WHERE id = $1", "BURSAR"),
        ("UPDATE users SET is_active = false WHERE id = $1", None),
        ("UPDATE sessions SET revoked_at = now(), revoked_because = 'REVOKED' WHERE user_id = $1", None),
        ("DELETE FROM sessions WHERE user_id = $1", None),
        ("DELETE FROM users WHERE id = $1", None),
        ("UPDATE users SET first_name = 'Bea' WHERE id = $1", "TEACHER"),
    ],
)
async def test_a_change_made_anywhere_counts_in_every_worker(school: School, connection: Any, change: str, expected: str | None) -> None:
    workers = [await school.worker() for _ in range(3)]
    granted, _ = await school.signed_in(workers[0])
    bystander, _ = await school.signed_in(workers[0])
    for worker in workers:
        assert await role(worker, granted) == "TEACHER"
        assert await role(worker, bystander) == "TEACHER"
    await connection.execute(change, granted.user_id)
    for worker in workers:
        await worker.wait_until_propagated()
        assert await role(worker, granted) == expected
        assert await role(worker, bystander) == "TEACHER"


async def test_others_hear_of_it_without_asking(school: School, asked: Asked) -> None:
    here, there = await school.worker(), await school.worker()
    granted, viewer = await school.signed_in(here)
    assert await role(there, granted) == "TEACHER"
    await sign_out(school.context(here, viewer), everywhere=False)
    before = asked.times
    await until(lambda: len(there._cache) == 0)
    assert asked.times == before
    assert await role(there, granted) is None


async def test_who_signs_out_gets_the_answer_when_every_worker_has_heard(school: School) -> None:
    workers = [await school.worker() for _ in range(4)]
    _, email = await school.person()
    for number in range(20):
        granted, viewer = await school.signed_in(workers[number % 4], email=email)
        for worker in workers:
            assert await role(worker, granted) == "TEACHER"
        await sign_out(school.context(workers[number % 4], viewer), everywhere=False)
        # No iteration of the event loop passes between the answer and these requests.
        assert [await role(worker, granted) for worker in workers] == [None] * 4


async def test_many_who_sign_out_at_once_wait_for_each_other_for_no_longer_than_it_takes(school: School) -> None:
    workers = [await school.worker() for _ in range(3)]
    everybody = [await school.signed_in(workers[number % 3]) for number in range(9)]
    async with asyncio.timeout(4):
        await asyncio.gather(
            *(sign_out(school.context(workers[number % 3], viewer), everywhere=False) for number, (_, viewer) in enumerate(everybody))
        )
    assert {await role(worker, granted) for worker in workers for granted, _ in everybody} == {None}


async def test_a_worker_that_has_not_heard_yet_is_waited_for(school: School) -> None:
    async with FreezableProxy(school.url) as proxy:
        slow, worker = await school.worker(url=proxy.url), await school.worker()
        granted, viewer = await school.signed_in(worker)
        assert await role(slow, granted) == "TEACHER"
        proxy.freeze()
        signing_out = asyncio.create_task(sign_out(school.context(worker, viewer), everywhere=False))
        await asyncio.wait([signing_out], timeout=0.3)
        assert not signing_out.done()
        assert await role(worker, granted) is None
        proxy.thaw()
        async with asyncio.timeout(4):
            await signing_out
        assert await role(slow, granted) is None


async def test_in_the_worker_that_did_it_it_counts_at_once_every_time(school: School, worker: Authenticator) -> None:
    _, email = await school.person()
    for _ in range(25):
        granted, viewer = await school.signed_in(worker, email=email)
        assert await sign_out(school.context(worker, viewer), everywhere=False) == 1
        assert await role(worker, granted) is None


async def test_settling_misses_nothing_that_was_committed_before(school: School, worker: Authenticator, connection: Any) -> None:
    granted, viewer = await school.signed_in(worker)
    for number in range(300):
        expected = ("BURSAR", "TEACHER")[number % 2]
        await connection.execute("UPDATE users SET role = $2 WHERE id = $1", viewer.user_id, expected)
        await worker.wait_until_propagated()
        assert await role(worker, granted) == expected


async def test_an_old_role_in_the_token_counts_for_nothing(school: School, worker: Authenticator) -> None:
    granted, viewer = await school.signed_in(worker, "ADMIN")
    await school.database.execute("UPDATE users SET role = 'GUARDIAN' WHERE id = $1", viewer.user_id)
    other = await school.worker()
    assert (await other.viewer(f"Bearer {granted.access_token}")).role == "GUARDIAN"


async def test_while_the_connection_is_lost_every_request_asks_the_database(school: School, connection: Any, asked: Asked) -> None:
    async with FreezableProxy(school.url) as proxy:
        worker = await school.worker(url=proxy.url)
        granted, viewer = await school.signed_in(worker)
        proxy.admits = False
        await kill_listeners(connection)
        await until(lambda: not worker.is_listening)
        before = asked.times
        assert await role(worker, granted) == "TEACHER"
        assert await role(worker, granted) == "TEACHER"
        assert asked.times == before + 2
        await connection.execute("UPDATE users SET role = 'BURSAR' WHERE id = $1", viewer.user_id)
        assert await role(worker, granted) == "BURSAR"
        await connection.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
        assert await role(worker, granted) is None


async def test_what_was_missed_while_it_was_lost_counts_when_it_is_back(school: School, connection: Any, asked: Asked) -> None:
    async with FreezableProxy(school.url) as proxy:
        worker = await school.worker(url=proxy.url)
        granted, viewer = await school.signed_in(worker)
        proxy.admits = False
        await kill_listeners(connection)
        await until(lambda: not worker.is_listening)
        await connection.execute("UPDATE users SET role = 'BURSAR' WHERE id = $1", viewer.user_id)
        proxy.admits = True
        await until(lambda: worker.is_listening)
        assert await role(worker, granted) == "BURSAR"
        before = asked.times
        assert await role(worker, granted) == "BURSAR"
        assert asked.times == before
        # And it receives revocations again.
        await connection.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
        await worker.wait_until_propagated()
        assert await role(worker, granted) is None


async def test_a_connection_that_died_in_silence_is_not_believed_and_is_replaced(
    school: School, clock: HandClock, connection: Any, asked: Asked
) -> None:
    async with FreezableProxy(school.url) as proxy:
        worker = await school.worker(url=proxy.url)
        granted, viewer = await school.signed_in(worker)
        proxy.freeze()
        await connection.execute("UPDATE users SET role = 'BURSAR' WHERE id = $1", viewer.user_id)
        # The connection was not closed, but no notification arrived.
        assert not worker._revocations._connection.is_closed()
        assert await role(worker, granted) == "TEACHER"
        clock.advance(seconds=5.1)
        assert not worker.is_listening
        before = asked.times
        assert await role(worker, granted) == "BURSAR"
        assert await role(worker, granted) == "BURSAR"
        assert asked.times == before + 2
        # The heartbeat finds the connection dead, and a new one replaces it.
        await worker.wait_until_propagated()
        proxy.thaw()
        await until(lambda: worker.is_listening)
        before = asked.times
        assert await role(worker, granted) == "BURSAR"
        assert await role(worker, granted) == "BURSAR"
        assert asked.times == before + 1


async def test_a_revocation_that_comes_while_the_database_is_asked_is_not_overwritten(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in_at, worker = await school.worker(), await school.worker()
    granted, viewer = await school.signed_in(signed_in_at)
    fetchval = school.database.fetchval

    async def slow(sql: str, *arguments: Any) -> Any:
        answer = await fetchval(sql, *arguments)
        # The viewer has been read but not cached; now the user is deactivated and the notification arrives.
        await school.database.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
        await worker.wait_until_propagated()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(school.database, "fetchval", slow)
        assert await role(worker, granted) == "TEACHER"
    assert await role(worker, granted) is None


async def test_a_revocation_that_nobody_heard_is_not_overwritten_when_listening_begins(
    school: School, connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FreezableProxy(school.url) as proxy:
        worker = await school.worker(url=proxy.url)
        granted, viewer = await school.signed_in(await school.worker())
        proxy.admits = False
        await kill_listeners(connection)
        await until(lambda: not worker.is_listening)
        fetchval = school.database.fetchval

        async def slow(sql: str, *arguments: Any) -> Any:
            answer = await fetchval(sql, *arguments)
            # The viewer is read while nothing listens, revoked before the listener starts, and cached after that.
            await connection.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
            proxy.admits = True
            await until(lambda: worker.is_listening)
            return answer

        with monkeypatch.context() as patched:
            patched.setattr(school.database, "fetchval", slow)
            assert await role(worker, granted) == "TEACHER"
        assert await role(worker, granted) is None


async def test_a_remembered_token_expires(school: School, worker: Authenticator, asked: Asked) -> None:
    granted, _ = await school.signed_in(worker)
    school.clock.advance(minutes=14, seconds=59)
    await worker.wait_until_propagated()
    assert await role(worker, granted) == "TEACHER"
    before = asked.times
    school.clock.advance(seconds=1)
    assert worker.is_listening
    assert await role(worker, granted) is None
    assert asked.times == before


async def test_an_inactive_user_is_nobody_whatever_their_session_says(school: School, worker: Authenticator) -> None:
    granted, viewer = await school.signed_in(worker)
    await school.database.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
    await school.database.execute("UPDATE sessions SET revoked_at = NULL, revoked_because = NULL WHERE user_id = $1", viewer.user_id)
    await worker.wait_until_propagated()
    assert await role(worker, granted) is None


async def test_a_mutation_does_not_trust_what_is_remembered(school: School, worker: Authenticator) -> None:
    _, viewer = await school.signed_in(worker, "ADMIN")
    async with school.database.transaction() as transaction:
        await worker.recheck(transaction, viewer)
        await transaction.execute("UPDATE users SET role = 'TEACHER' WHERE id = $1", viewer.user_id)
        with pytest.raises(Refusal) as refusal:
            await worker.recheck(transaction, viewer)
        assert refusal.value.code == "FORBIDDEN"
        await transaction.execute("UPDATE users SET is_active = false WHERE id = $1", viewer.user_id)
        with pytest.raises(Refusal) as refusal:
            await worker.recheck(transaction, viewer)
        assert refusal.value.code == "UNAUTHENTICATED"
        with pytest.raises(Refusal):
            await worker.recheck(transaction, Viewer(None, None, None, frozenset({"health:read"})))


async def test_news_that_does_not_read_as_such_clears_everything(school: School, worker: Authenticator, connection: Any) -> None:
    for payload in ("", "session", "session:", "session:1", "\N{SNOWMAN}"):
        granted, _ = await school.signed_in(worker)
        assert await role(worker, granted) == "TEACHER"
        await connection.execute("SELECT pg_notify('rollcall_revocations', $1)", payload)
        await worker.wait_until_propagated()
        assert len(worker._cache) == 0
        assert await role(worker, granted) == "TEACHER"


async def test_it_starts_without_a_database_and_stops_at_once(school: School) -> None:
    nowhere = Authenticator(school.database, Settings(environment="test"), "postgresql://nobody@127.0.0.1:9/none", clock=school.clock)
    async with asyncio.timeout(10):
        await nowhere.start()
        assert not nowhere.is_listening
        await nowhere.wait_until_propagated()
        granted, _ = await school.signed_in(nowhere)
        assert await role(nowhere, granted) == "TEACHER"
        await nowhere.stop()
