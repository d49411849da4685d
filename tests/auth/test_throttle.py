"""Slowed sign-ins: how long, for whom, and that guesses at once get no further than guesses one by one."""

import asyncio
from uuid import uuid4

import pytest

from auth.authenticator import Authenticator
from auth.networks import Client
from auth.throttle import ACCOUNT, KNOWN_NETWORK, NETWORK, Attempt
from execution.errors import Refusal
from tests.auth.school import HOME, School

NOWHERE = Client()


async def guess(worker: Authenticator, email: str, client: Client = NOWHERE, *, known: bool = False) -> int:
    """Seconds that a guess is refused for; 0 when it was let through."""
    try:
        await worker.throttle.sign_in(email, None, client, network_is_known=known)
    except Refusal as refusal:
        if refusal.code != "RATE_LIMITED":
            raise
        seconds: int = refusal.extensions["retryAfter"]
        return seconds
    return 0


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
    # In 15-minute waits one failure in half an hour is forgotten, and the wait stays the longest.
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_failures_are_forgotten_one_by_one(school: School, worker: Authenticator) -> None:
    for _ in range(ACCOUNT.free):
        assert await guess(worker, "a@b") == 0
    school.clock.advance(seconds=ACCOUNT.forget * 2 - 1)
    assert await guess(worker, "a@b") == 0
    assert await guess(worker, "a@b") == 0
    assert await guess(worker, "a@b") == 1
    # The second that was missing to the second half hour was not lost.
    school.clock.advance(seconds=ACCOUNT.forget * 20)
    assert [await guess(worker, "a@b") for _ in range(ACCOUNT.free + 2)] == [0] * 6 + [1]


async def test_a_failure_every_now_and_then_is_forgotten_though_none_waits_long_enough(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK.free * 3):
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


async def test_a_refused_guess_counts_for_nothing(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for _ in range(ACCOUNT.free + 1):
        assert await guess(worker, "a@b", home) == 0
    for _ in range(200):
        assert await guess(worker, "a@b", home) == 1
    assert await school.value("SELECT max(failures) FROM sign_in_throttles") == ACCOUNT.free + 1
    assert await guess(worker, "someone@else", home) == 0


async def test_a_network_is_slowed_whatever_account_it_tries(school: School, worker: Authenticator) -> None:
    inside = Client.of("2001:db8:1:2::1", None)
    for number in range(NETWORK.free + 1):
        assert await guess(worker, f"{number}@b", Client.of(f"2001:db8:1:2::{number:x}", None)) == 0
    assert await guess(worker, "new@b", inside) == 1
    assert await guess(worker, "new@b", Client.of("2001:db8:1:3::1", None)) == 0
    # The refused guess was not counted against its account either.
    assert [await guess(worker, "new@b") for _ in range(ACCOUNT.free + 1)] == [0] * ACCOUNT.free + [1]


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
        await worker.throttle.sign_in(each, user_id, NOWHERE, network_is_known=False)
    with pytest.raises(Refusal):
        await worker.throttle.sign_in("ida@b", user_id, NOWHERE, network_is_known=False)


async def test_a_success_clears_the_account_and_only_itself_from_the_network(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for _ in range(3):
        await worker.throttle.sign_in("a@b", None, home, network_is_known=False)
    attempt: Attempt = await worker.throttle.sign_in("a@b", None, home, network_is_known=False)
    await worker.throttle.succeeded(attempt)
    rows = await school.database.fetch("SELECT key = $1 AS is_account, failures FROM sign_in_throttles", attempt.account)
    assert [tuple(row) for row in rows] == [(False, 3)]


async def test_an_attempt_that_was_taken_back_leaves_nothing_behind(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for _ in range(NETWORK.free + 20):
        await worker.throttle.cancelled(await worker.throttle.sign_in("a@b", None, home, network_is_known=False))
    assert await guess(worker, "a@b", home) == 0
    assert await school.value("SELECT max(failures) FROM sign_in_throttles") == 1


async def test_a_success_lifts_the_block_that_it_caused_and_no_other(school: School, worker: Authenticator) -> None:
    home = Client.of(HOME, None)
    for number in range(NETWORK.free):
        assert await guess(worker, f"{number}@b", home) == 0
    for _ in range(3):
        attempt = await worker.throttle.sign_in("pupil@b", None, home, network_is_known=False)
        assert await guess(worker, "other@b", home) == 1
        await worker.throttle.succeeded(attempt)
    late = await worker.throttle.sign_in("pupil@b", None, home, network_is_known=False)
    school.clock.advance(seconds=1)
    assert await guess(worker, "other@b", home) == 0
    await worker.throttle.succeeded(late)
    assert await guess(worker, "other@b", home) == 2


async def test_keys_say_nothing_about_whom_they_count(school: School, worker: Authenticator) -> None:
    await guess(worker, "ada@school.example", Client.of(HOME, None))
    keys = [row["key"] for row in await school.database.fetch("SELECT key FROM sign_in_throttles")]
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)
    other = await school.worker(secret_key="another secret of forty characters, or so")
    assert await guess(other, "ada@school.example", Client.of(HOME, None)) == 0
    assert await school.value("SELECT count(*) FROM sign_in_throttles") == 4


async def test_old_rows_are_deleted_and_others_kept(school: School, worker: Authenticator) -> None:
    await guess(worker, "old@b")
    school.clock.advance(days=1, seconds=1)
    await guess(worker, "new@b")
    await worker.throttle.delete_old()
    assert await school.value("SELECT count(*) FROM sign_in_throttles") == 1
