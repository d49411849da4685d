"""Tests hundreds of sign-ins: legitimate ones succeed, a flood is limited to its share, and no attempt holds a connection while waiting for a lock."""

import asyncio
import threading
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher

from auth.authenticator import Authenticator
from auth.throttle import ACCOUNT, NETWORK
from resolvers.password_resets import IssuedReset, issue_password_reset, reset_password
from resolvers.sign_in import change_password, refresh_session, sign_in
from resolvers.user_errors import UserError
from tests.auth.school import HOME, PASSWORD, School, attempt

SCHOOL = "192.0.2.80"
ABROAD = "198.51.100.1"
_WAITS_FOR_A_LOCK = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    """Sets Argon2 to little memory, since these tests are about who succeeds, not about how long a hash takes."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr("auth.passwords._HASHER", hasher)
    monkeypatch.setattr("auth.sign_in_gate._REFUSALS_PER_SECOND", 5_000)
    return hasher


async def people(school: School, hasher: PasswordHasher, number: int) -> list[str]:
    """Creates `count` accounts and returns their e-mail addresses."""
    emails = [(await school.person())[1] for _ in range(number)]
    await school.database.execute("UPDATE users SET password_hash = $1", hasher.hash(PASSWORD))
    return emails


class Lent:
    """Records the maximum of connections in use and of waiting requests, whenever a connection is acquired."""

    def __init__(self, school: School) -> None:
        self.most = self.waiting = 0
        self._database = school.database
        school.database.events.add_listener(self._see)

    def _see(self, event: str) -> None:
        if event == "acquire":
            self.most = max(self.most, self._database._in_use)
            self.waiting = max(self.waiting, len(self._database._slots._line))


async def test_three_hundred_accounts_behind_one_new_address_sign_in_at_once(quick: PasswordHasher, school: School) -> None:
    workers = [await school.worker() for _ in range(2)]
    emails = await people(school, quick, 300)
    answers = await asyncio.gather(*(attempt(school, workers[number % 2], each, address=SCHOOL) for number, each in enumerate(emails)))
    assert answers == ["in"] * 300
    # Some mistype their password, which does not delay the others.
    mistyped = [attempt(school, workers[number % 2], each, "wrong", SCHOOL) for number, each in enumerate(emails[:60])]
    right = [attempt(school, workers[number % 2], each, address=SCHOOL) for number, each in enumerate(emails[60:])]
    answers = await asyncio.gather(*mistyped, *right)
    assert answers == ["WRONG_CREDENTIALS"] * 60 + ["in"] * 240


async def test_five_accounts_five_times_at_once_from_one_address_get_in(quick: PasswordHasher, school: School) -> None:
    workers = [await school.worker() for _ in range(3)]
    emails = await people(school, quick, 5)
    for address in (HOME, HOME, SCHOOL):
        answers = await asyncio.gather(*(attempt(school, workers[number % 3], emails[number % 5], address=address) for number in range(60)))
        assert answers == ["in"] * 60


async def test_right_passwords_at_once_get_in_while_an_outdated_hash_is_renewed(quick: PasswordHasher, school: School) -> None:
    """Checks that the first attempt renews the hash, and that the others, which were verified against the old one, succeed."""
    workers = [await school.worker() for _ in range(2)]
    (email,) = await people(school, PasswordHasher(time_cost=2, memory_cost=64, parallelism=1), 1)
    answers = await asyncio.gather(*(attempt(school, workers[number % 2], email) for number in range(5)))
    assert answers == ["in"] * 5
    assert not quick.check_needs_rehash(await school.value("SELECT password_hash FROM users WHERE email = $1", email))
    assert await school.value("SELECT max(failures) FROM sign_in_throttles") == 0


async def test_a_session_is_granted_although_the_throttle_does_not_hear_of_it(
    quick: PasswordHasher, school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ConnectionError

    (email,) = await people(school, quick, 1)
    monkeypatch.setattr(worker.throttle, "succeeded", broken)
    assert await attempt(school, worker, email) == "in"


async def test_right_passwords_at_once_get_in_after_wrong_ones(quick: PasswordHasher, school: School) -> None:
    """Checks that during the last free attempt the others wait for its result, even in another worker."""
    workers = [await school.worker() for _ in range(2)]
    (email,) = await people(school, quick, 1)
    for _ in range(ACCOUNT.free):
        assert await attempt(school, workers[0], email, "wrong") == "WRONG_CREDENTIALS"
    answers = await asyncio.gather(*(attempt(school, workers[number % 2], email) for number in range(10)))
    assert answers == ["in"] * 10


async def test_a_flood_holds_no_more_connections_than_its_share(quick: PasswordHasher, school: School, worker: Authenticator) -> None:
    emails = await people(school, quick, 40)
    lent = Lent(school)
    flood = [attempt(school, worker, f"{number}@b", address=f"198.51.100.{number}") for number in range(100)]
    flood += [attempt(school, worker, each) for each in emails] + [attempt(school, worker, emails[0], "wrong") for _ in range(60)]
    flood += [refused(school, worker, "rcr_" + "x" * 43) for _ in range(100)]
    await asyncio.gather(*flood)
    # A fifth of the pool is for sign-ins, and a fifth for unverified tokens.
    assert 1 < lent.most <= 2 * (school.settings.pool_max_size // 5)
    # No sign-in waited in the pool's own queue, where it would delay small queries.
    assert lent.waiting <= 1


async def test_known_accounts_get_in_while_a_network_floods(quick: PasswordHasher, school: School, worker: Authenticator) -> None:
    """Checks accounts in the flooding network and in another one. Unknown accounts wait only behind the flood of their own network."""
    home, away, new = await people(school, quick, 3)
    assert await attempt(school, worker, home, address=SCHOOL) == "in"
    assert await attempt(school, worker, away, address=ABROAD) == "in"
    over: list[str] = []

    async def counted(work: Coroutine[Any, Any, str]) -> str:
        answer = await work
        over.append(answer)
        return answer

    flood = [asyncio.create_task(counted(attempt(school, worker, f"{number}@b", address=SCHOOL))) for number in range(NETWORK.free)]
    while len(over) < 10 or worker.gate._lookups.waiting:
        await asyncio.sleep(0.001)
    for email, address in ((home, SCHOOL), (away, ABROAD), (new, HOME)):
        before = len(over)
        assert await attempt(school, worker, email, address=address) == "in"
        assert len(over) - before < 15
    assert worker.gate._attempts.waiting, "the flood was still there"
    await asyncio.gather(*flood)


async def test_a_network_that_was_flooded_is_not_locked_out_afterwards(
    quick: PasswordHasher, school: School, worker: Authenticator
) -> None:
    emails = await people(school, quick, 30)
    assert await attempt(school, worker, emails[0], address=SCHOOL) == "in"
    answers = await asyncio.gather(*(attempt(school, worker, f"{number}@b", address=SCHOOL) for number in range(300)))
    assert answers.count("WRONG_CREDENTIALS") == NETWORK.free + 1
    assert answers.count("RATE_LIMITED") == 300 - NETWORK.free - 1
    assert await attempt(school, worker, emails[0], address=SCHOOL) == "in"
    school.clock.advance(seconds=NETWORK.forget)
    assert await asyncio.gather(*(attempt(school, worker, each, address=SCHOOL) for each in emails[1:])) == ["in"] * 29


async def test_who_waits_for_a_locked_account_holds_no_connection(school: School, worker: Authenticator, connection: Any) -> None:
    user_id, email = await school.person()
    granted, viewer = await school.signed_in(worker, email=email)
    _, administrator = await school.signed_in(worker, "ADMIN")
    works: list[Coroutine[Any, Any, Any]] = [
        sign_in(school.context(worker), email, PASSWORD),
        refresh_session(school.context(worker), granted.refresh_token),
        change_password(school.context(worker, viewer), PASSWORD, "a new and longer password"),
    ]
    for number in range(4):
        if number == 3:
            issued = await issue_password_reset(school.context(worker, administrator), user_id)
            assert isinstance(issued, IssuedReset)
            works.append(reset_password(school.context(worker), issued.token, "another and longer password"))
        locking = connection.transaction()
        await locking.start()
        await connection.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", user_id)
        await connection.execute("SELECT FROM sessions WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
        task = asyncio.create_task(works[number])
        for _ in range(40):
            await asyncio.sleep(0.01)
            assert await connection.fetchval(_WAITS_FOR_A_LOCK) == 0
        assert not task.done()
        await locking.rollback()
        assert not isinstance(await task, UserError)


async def test_an_attempt_whose_caller_leaves_is_ended_and_counted(
    school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, email = await school.person()
    for password, failures in (("wrong", 1), (PASSWORD, 1)):
        begun, go_on = asyncio.Event(), threading.Event()
        verify = worker.passwords.verify

        async def slow(password_hash: str | None, given: str) -> bool:
            begun.set()  # noqa: B023 - called within this turn
            await asyncio.to_thread(go_on.wait)  # noqa: B023
            return await verify(password_hash, given)  # noqa: B023

        before = await school.value("SELECT count(*) FROM sessions")
        with monkeypatch.context() as patched:
            patched.setattr(worker.passwords, "verify", slow)
            task = asyncio.create_task(attempt(school, worker, email, password))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # Its slot is not free yet, so that a flood of clients that disconnect gains nothing.
            assert worker.gate._attempts._busy
            go_on.set()
            while worker.gate._tasks:
                await asyncio.sleep(0.001)
        assert await school.value("SELECT count(*) FROM sessions") == before, "nobody was there to be let in"
        row = await school.database.fetchrow(
            "SELECT max(failures) AS failures, max(cardinality(in_flight)) AS in_flight FROM sign_in_throttles"
        )
        assert tuple(row) == (failures, 0)


async def test_refusals_leave_the_slower_the_more_there_are(school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    for _ in range(ACCOUNT.free + 1):
        assert await attempt(school, worker, "a@b", "wrong") == "WRONG_CREDENTIALS"
    with monkeypatch.context() as patched:
        patched.setattr("auth.sign_in_gate.asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": noted}))
        for _ in range(3):
            assert await attempt(school, worker, "a@b", "wrong") == "RATE_LIMITED"
        assert pauses == [0.0] * 3, "one at a time is not held"
    pauses.clear()

    async def held(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0.2)

    with monkeypatch.context() as patched:
        patched.setattr("auth.sign_in_gate.asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": held}))
        await asyncio.gather(*(attempt(school, worker, "a@b", "wrong") for _ in range(50)))
    assert max(pauses) > 0.1
    assert worker.gate._held == 0


async def refused(school: School, worker: Authenticator, token: str) -> str:
    try:
        await refresh_session(school.context(worker), token)
    except Exception as error:  # noqa: BLE001 - compared with nothing: the flood's answers are another test's
        return repr(error)
    return "in"
