"""Tests throttling of sign-ins: for how long, for whom, and that concurrent guesses gain nothing over sequential ones."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from auth.authenticator import Authenticator
from auth.client_address import Client
from auth.throttle import ACCOUNT, KNOWN_NETWORK, NETWORK, NETWORK_OF_KNOWN, Attempt, Limit
from db.query_compiler import Query
from execution.errors import Refusal
from tests.auth.school import HOME, School

NOWHERE = Client()


async def guess(worker: Authenticator, email: str, client: Client = NOWHERE, *, known: bool = False, account: UUID | None = None) -> int:
    """Makes a wrong guess, after waiting for attempts in progress if necessary; returns the seconds for which it is refused, or 0."""
    limits = worker.throttle.sign_in(email, account, client, network_is_known=known)
    try:
        while (attempt := await worker.throttle.reserve(limits)) is None:
            await asyncio.sleep(0.001)
    except Refusal as refusal:
        if refusal.code != "RATE_LIMITED":
            raise
        seconds: int = refusal.extensions["retryAfter"]
        return seconds
    await worker.throttle.failed(attempt)
    return 0


async def begun(worker: Authenticator, email: str, client: Client = NOWHERE) -> Attempt | None:
    """Starts an attempt; returns None if it has to wait for others."""
    return await worker.throttle.reserve(worker.throttle.sign_in(email, None, client, network_is_known=False))


async def test_failures_are_free_at_first_and_then_cost_twice_as_long_each(school: School, worker: Authenticator) -> None:
    assert [await guess(worker, "a@b") for _ in range(ACCOUNT.free + 1)] == [0] * 6
    waits = []
    for _ in range(12):
        wait = await guess(worker, "a@b")
        waits.append(wait)
        school.clock.advance(seconds=wait - 0.5)
        assert await guess(worker, "a@b") == 1
        school.clock.advance(seconds=0.5)
        assert await guess(worker, "a@b") == 0
    # With waits of 15 minutes, one failure is forgotten every half hour, and the wait stays at its maximum.
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_failures_are_forgotten_one_by_one(school: School, worker: Authenticator) -> None:
    for _ in range(ACCOUNT.free):
        assert await guess(worker, "a@b") == 0
    school.clock.advance(seconds=ACCOUNT.forget * 2 - 1)
    assert await guess(worker, "a@b") == 0
    assert await guess(worker, "a@b") == 0
    assert await guess(worker, "a@b") == 1
    # The time that had passed towards the second half hour was not lost.
    school.clock.advance(seconds=ACCOUNT.forget * 20)
    assert [await guess(worker, "a@b") for _ in range(ACCOUNT.free + 2)] == [0] * 6 + [1]


async def test_a_failure_every_now_and_then_is_forgotten_though_none_waits_long_enough(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK.free * 2):
        assert await guess(worker, f"{number}@b", home) == 0
        school.clock.advance(seconds=NETWORK.forget * 0.7)
        if number % 3 == 0:
            school.clock.advance(seconds=NETWORK.forget)


async def test_many_guesses_at_once_get_no_further_than_one_after_the_other(school: School) -> None:
    workers = [await school.worker() for _ in range(3)]
    answers = await asyncio.gather(*(guess(workers[number % 3], "a@b") for number in range(40)))
    assert answers.count(0) == ACCOUNT.free + 1
    school.clock.advance(seconds=1)
    answers = await asyncio.gather(*(guess(workers[number % 3], "a@b") for number in range(40)))
    assert answers.count(0) == 1


async def test_attempts_in_flight_count_like_failures_and_nobody_is_refused_for_them(school: School) -> None:
    workers = [await school.worker() for _ in range(3)]
    running = [await begun(workers[number % 3], "a@b") for number in range(ACCOUNT.free + 1)]
    assert None not in running
    # One more than the free attempts, so that it depends on their results.
    for worker in workers:
        assert await begun(worker, "a@b") is None
    assert running[0] is not None
    await workers[1].throttle.succeeded(running[0])
    assert await begun(workers[2], "a@b") is not None


async def test_beyond_the_free_ones_attempts_are_made_one_at_a_time(school: School, worker: Authenticator) -> None:
    for _ in range(ACCOUNT.free + 1):
        assert await guess(worker, "a@b") == 0
    school.clock.advance(seconds=1)
    only = await begun(worker, "a@b")
    assert only is not None
    assert await begun(worker, "a@b") is None
    await worker.throttle.failed(only)
    assert await guess(worker, "a@b") == 2


async def test_a_failure_that_a_success_overtook_is_counted(school: School, worker: Authenticator) -> None:
    slow, quick = await begun(worker, "a@b"), await begun(worker, "a@b")
    assert slow is not None
    assert quick is not None
    await worker.throttle.succeeded(quick)
    await worker.throttle.failed(slow)
    assert await school.value("SELECT failures FROM sign_in_throttles") == 1


async def test_an_attempt_whose_worker_died_is_a_failure_after_a_minute(school: School, worker: Authenticator) -> None:
    for _ in range(ACCOUNT.free):
        assert await guess(worker, "a@b") == 0
    lost = await begun(worker, "a@b")
    assert lost is not None
    assert await begun(worker, "a@b") is None
    school.clock.advance(seconds=61)
    assert await guess(worker, "a@b") == 0
    assert await school.value("SELECT failures FROM sign_in_throttles") == ACCOUNT.free + 2
    # A later result of that attempt is not counted again, except that a success is accepted.
    await worker.throttle.failed(lost)
    assert await school.value("SELECT failures FROM sign_in_throttles") == ACCOUNT.free + 2
    await worker.throttle.cancelled(lost)
    assert await school.value("SELECT failures FROM sign_in_throttles") == ACCOUNT.free + 1


async def test_a_throttle_that_another_is_writing_is_not_waited_for_with_a_connection(school: School, connection: Any) -> None:
    """Checks that while another transaction holds the lock of a key, writers retry, and none of their statements waits for the lock."""
    worker = await school.worker()
    limits = worker.throttle.sign_in("a@b", None, NOWHERE, network_is_known=False)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(limits[0].key[:8], signed=True))
        reserving = asyncio.create_task(worker.throttle.reserve(limits))
        for _ in range(20):
            await asyncio.sleep(0.005)
            assert await school.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0
        assert not reserving.done()
    assert await reserving is not None


async def test_a_refused_guess_counts_for_nothing(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for _ in range(ACCOUNT.free + 1):
        assert await guess(worker, "a@b", home) == 0
    for _ in range(NETWORK.free + 50):
        assert await guess(worker, "a@b", home) == 1
    assert await school.value("SELECT max(failures) FROM sign_in_throttles") == ACCOUNT.free + 1
    assert await guess(worker, "someone@else", home) == 0


async def test_a_network_is_slowed_whatever_account_it_tries(school: School, worker: Authenticator) -> None:
    inside = Client.of("2001:db8:1:2::1", None)
    for number in range(NETWORK.free + 1):
        assert await guess(worker, f"{number}@b", Client.of(f"2001:db8:1:2::{number:x}", None)) == 0
    assert await guess(worker, "new@b", inside) == NETWORK.forget
    assert await guess(worker, "new@b", Client.of("2001:db8:1:3::1", None)) == 0
    # The refused guess was not counted for its account either.
    assert [await guess(worker, "new@b") for _ in range(ACCOUNT.free + 1)] == [0] * ACCOUNT.free + [1]


async def test_a_network_gets_one_guess_more_whenever_a_failure_is_forgotten(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK.free + 1):
        assert await guess(worker, f"{number}@b", home) == 0
    for number in range(5):
        assert await guess(worker, f"more {number}@b", home) == NETWORK.forget
        school.clock.advance(seconds=NETWORK.forget)
        assert await guess(worker, f"more {number}@b", home) == 0
    # However long the guessing goes on, the next attempt waits until one failure is forgotten, and a correct password does not count.
    school.clock.advance(seconds=NETWORK.forget)
    for number in range(50):
        attempt = await begun(worker, f"pupil {number}@b", home)
        assert attempt is not None
        await worker.throttle.succeeded(attempt)


async def test_many_guesses_at_once_on_many_accounts_get_no_further_from_one_network_than_one_by_one(school: School) -> None:
    workers = [await school.worker() for _ in range(3)]
    home = Client.of(HOME, None)
    answers: list[int] = []
    # At most as many attempts as the workers have slots are verified at a time.
    for start in range(0, 150, 9):
        answers += await asyncio.gather(*(guess(workers[number % 3], f"{number}@b", home) for number in range(start, start + 9)))
    assert answers.count(0) == NETWORK.free + 1


async def test_guesses_on_known_accounts_do_not_slow_others_of_the_network_nor_the_other_way_round(
    school: School, worker: Authenticator
) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK.free + 1):
        assert await guess(worker, f"{number}@b", home) == 0
    assert await guess(worker, "stranger@b", home) > 0
    assert await guess(worker, "pupil@b", home, known=True) == 0
    await school.database.execute("TRUNCATE sign_in_throttles")
    for number in range(NETWORK_OF_KNOWN.free + NETWORK_OF_KNOWN.spare + 1):
        assert await guess(worker, f"{number}@b", home, known=True) == 0
    assert await guess(worker, "pupil@b", home, known=True) == 1
    assert await guess(worker, "stranger@b", home) == 0


async def test_of_the_accounts_that_a_network_is_known_to_those_without_failures_have_room_left(
    school: School, worker: Authenticator
) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK_OF_KNOWN.free + 1):
        assert await guess(worker, f"{number}@b", home, known=True) == 0
    assert await guess(worker, "0@b", home, known=True) == 1
    assert await guess(worker, "pupil@b", home, known=True) == 0


async def test_guesses_from_a_thousand_addresses_get_no_further_on_one_account(school: School) -> None:
    workers = [await school.worker() for _ in range(2)]
    addresses = [f"198.51.{number // 250}.{number % 250}" for number in range(1_000)]
    answers: list[int] = []
    for start in range(0, 1_000, 50):
        answers += await asyncio.gather(
            *(guess(workers[number % 2], "a@b", Client.of(addresses[number], None)) for number in range(start, start + 50))
        )
    assert answers.count(0) == ACCOUNT.free + 1


async def test_strangers_do_not_slow_the_network_an_account_is_known_from(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    while await guess(worker, "a@b") == 0:
        pass
    assert await guess(worker, "a@b", home, known=False) > 0
    assert [await guess(worker, "a@b", home, known=True) for _ in range(KNOWN_NETWORK.free + 2)] == [0] * 6 + [1]


async def test_one_account_has_one_counter_however_its_address_is_spelled(worker: Authenticator) -> None:
    user_id = uuid4()
    spellings = ["ida@b", "IDA@b", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}da@b", " ida@b", "ida@B", "idA@b"]
    for each in spellings:
        assert await guess(worker, each, account=user_id) == 0
    assert await guess(worker, "ida@b", account=user_id) == 1


async def test_a_success_clears_the_account_and_takes_nothing_from_the_network(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for _ in range(3):
        assert await guess(worker, "a@b", home) == 0
    attempt = await begun(worker, "a@b", home)
    assert attempt is not None
    await worker.throttle.succeeded(attempt)
    rows = await school.database.fetch(
        "SELECT key = $1 AS is_account, failures, in_flight FROM sign_in_throttles", attempt.leases[0][0].key
    )
    assert sorted(tuple(row) for row in rows) == [(False, 3, []), (True, 0, [])]


async def test_an_attempt_that_was_taken_back_leaves_nothing_behind(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for _ in range(NETWORK.free + 20):
        attempt = await begun(worker, "a@b", home)
        assert attempt is not None
        await worker.throttle.cancelled(attempt)
    assert await guess(worker, "a@b", home) == 0
    assert await school.value("SELECT max(failures) FROM sign_in_throttles") == 1
    assert await school.value("SELECT count(*) FROM sign_in_throttles WHERE in_flight <> '{}'") == 0


async def test_an_attempt_that_its_network_refuses_leaves_its_account_alone(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK.free):
        assert await guess(worker, f"{number}@b", home) == 0
    last = await begun(worker, "a@b", home)
    assert last is not None
    assert await begun(worker, "pupil@b", home) is None
    assert [await guess(worker, "pupil@b") for _ in range(ACCOUNT.free + 2)] == [0] * (ACCOUNT.free + 1) + [1]
    await worker.throttle.succeeded(last)
    assert await guess(worker, "other@b", home) == 0


@pytest.mark.parametrize("error", [ConnectionError, asyncio.CancelledError])
async def test_a_limit_that_cannot_be_written_leaves_nothing_reserved_on_the_others(
    school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    limits = [worker.throttle.sign_in(each, None, NOWHERE, network_is_known=False)[0] for each in ("a@b", "c@d")]
    write = worker.throttle._write

    async def broken(query: Query, limit: Limit, **values: Any) -> bool:
        if limit == limits[1]:
            raise error
        return await write(query, limit, **values)

    monkeypatch.setattr(worker.throttle, "_write", broken)
    with pytest.raises(error):
        await worker.throttle.reserve(limits)
    row = await school.database.fetchrow("SELECT failures, in_flight FROM sign_in_throttles")
    assert tuple(row) == (0, [])


async def test_keys_say_nothing_about_whom_they_count(school: School, worker: Authenticator) -> None:
    await guess(worker, "ada@school.example", Client.of(HOME, None))
    keys = [row["key"] for row in await school.database.fetch("SELECT key FROM sign_in_throttles")]
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)
    other = await school.worker(secret_key="another secret of forty characters, or so")
    assert await guess(other, "ada@school.example", Client.of(HOME, None)) == 0
    assert await school.value("SELECT count(*) FROM sign_in_throttles") == 4


async def test_old_rows_are_deleted_and_others_kept(school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.throttle._BATCH", 2)
    for number in range(5):
        await guess(worker, f"old {number}@b")
    school.clock.advance(days=1, seconds=1)
    await guess(worker, "new@b")
    await worker.throttle.delete_old()
    assert await school.value("SELECT count(*) FROM sign_in_throttles") == 1
