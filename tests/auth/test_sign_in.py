"""Tests signing in and out."""

import asyncio
import unicodedata
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher

from auth.authenticator import Authenticator
from auth.client_address import Client
from auth.sessions import Granted
from auth.throttle import ACCOUNT
from auth.viewer import ANONYMOUS, Viewer
from execution.errors import Refusal
from resolvers.sign_in import change_password, sign_in, sign_out
from resolvers.user_errors import UserError
from tests.auth.school import HOME, PASSWORD, School, attempt, is_good

NEW = "a new and longer password"


async def sessions(school: School) -> int:
    count: int = await school.value("SELECT count(*) FROM sessions")
    return count


async def test_who_signs_in_is_who_asks(school: School, worker: Authenticator) -> None:
    user_id, email = await school.person("BURSAR")
    granted = await sign_in(school.context(worker), f" {email.upper()} ", PASSWORD)
    assert isinstance(granted, Granted)
    viewer = await worker.viewer(f"bearer {granted.access_token}")
    assert viewer == Viewer(user_id, "BURSAR", granted.session_id, frozenset())
    assert await school.value("SELECT last_sign_in_at FROM users WHERE id = $1", user_id) == school.clock.now()
    row = await school.database.fetchrow("SELECT host(address) AS address, user_agent FROM sessions WHERE id = $1", granted.session_id)
    assert tuple(row) == (HOME, "tests")


async def test_without_a_header_nobody_asks(worker: Authenticator) -> None:
    assert await worker.viewer(None) is ANONYMOUS


async def test_every_wrong_sign_in_gets_the_same_answer_and_no_session(school: School, worker: Authenticator) -> None:
    _, email = await school.person()
    inactive, inactive_email = await school.person()
    await school.database.execute("UPDATE users SET is_active = false WHERE id = $1", inactive)
    _, without = await school.person(password=None)
    before = await sessions(school)
    tries = [
        (email, "not the password"),
        (email, ""),
        (email, PASSWORD.upper()),
        (inactive_email, PASSWORD),
        (without, PASSWORD),
        (without, ""),
        ("nobody@school.example", PASSWORD),
        ("", ""),
        ("nul\0@school.example", "\0"),
        ("\ud800@school.example", "\ud800"),
        ("x" * 100_000, "x" * 100_000),
    ]
    answers = [await sign_in(school.context(worker, address=None), *each) for each in tries]
    assert len(set(answers)) == 1
    assert isinstance(answers[0], UserError)
    assert answers[0].code == "WRONG_CREDENTIALS"
    assert await sessions(school) == before
    assert await school.value("SELECT last_sign_in_at FROM users WHERE id = $1", inactive) is None


async def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(
    school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str | None] = []
    verify = worker.passwords.verify

    async def counted(password_hash: str | None, password: str) -> bool:
        hashes.append(password_hash)
        return await verify(password_hash, password)

    monkeypatch.setattr(worker.passwords, "verify", counted)
    _, email = await school.person()
    _, without = await school.person(password=None)
    for each in (email, without, "nobody@school.example"):
        assert await attempt(school, worker, each, "wrong") == "WRONG_CREDENTIALS"
    assert len(hashes) == 3
    assert hashes[0] is not None
    assert hashes[1:] == [None, None]


async def test_the_right_password_is_refused_while_the_account_is_slowed(school: School, worker: Authenticator) -> None:
    _, email = await school.person()
    for _ in range(ACCOUNT.free + 1):
        assert await attempt(school, worker, email, "wrong") == "WRONG_CREDENTIALS"
    before = await sessions(school)
    with pytest.raises(Refusal) as refusal:
        await sign_in(school.context(worker), email, PASSWORD)
    assert refusal.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert await sessions(school) == before
    school.clock.advance(seconds=1)
    assert await attempt(school, worker, email) == "in"
    # The success cleared the counter.
    for _ in range(ACCOUNT.free + 1):
        assert await attempt(school, worker, email, "wrong") == "WRONG_CREDENTIALS"


async def test_guesses_at_once_and_on_every_worker_are_looked_at_only_as_often_as_is_free(school: School) -> None:
    workers = [await school.worker() for _ in range(3)]
    _, email = await school.person()
    guesses = [f"guess {number}" for number in range(29)] + [PASSWORD]
    answers = await asyncio.gather(*(attempt(school, workers[number % 3], email, each) for number, each in enumerate(guesses)))
    assert answers.count("RATE_LIMITED") >= len(guesses) - ACCOUNT.free - 1 - 1
    assert answers.count("WRONG_CREDENTIALS") + answers.count("in") <= ACCOUNT.free + 1 + 1


async def test_a_stranger_cannot_keep_the_owner_out_where_they_have_been_before(school: School, worker: Authenticator) -> None:
    _, email = await school.person()
    assert await attempt(school, worker, email) == "in"
    for _ in range(20):
        school.clock.advance(seconds=30)
        while await attempt(school, worker, email, "wrong", "198.51.100.66") != "RATE_LIMITED":
            pass
    assert await attempt(school, worker, email, address="198.51.100.66") == "RATE_LIMITED"
    assert await attempt(school, worker, email, address="192.0.2.1") == "RATE_LIMITED"
    assert await attempt(school, worker, email) == "in"
    school.clock.advance(days=61)
    for _ in range(ACCOUNT.free + 1):
        await attempt(school, worker, email, "wrong", "198.51.100.66")
    assert await attempt(school, worker, email) == "RATE_LIMITED"


async def test_a_full_queue_costs_nobody_an_attempt(school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> bool:
        raise Refusal("RATE_LIMITED", "full", retryAfter=1)

    _, email = await school.person()
    with monkeypatch.context() as patched:
        patched.setattr(worker.passwords, "verify", full)
        for _ in range(ACCOUNT.free + 5):
            assert await attempt(school, worker, email) == "RATE_LIMITED"
    assert await attempt(school, worker, email) == "in"


async def test_a_hash_of_old_parameters_is_renewed_by_the_next_sign_in(school: School, worker: Authenticator) -> None:
    user_id, email = await school.person()
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await school.database.execute("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, old)
    assert await attempt(school, worker, email, "wrong") == "WRONG_CREDENTIALS"
    assert await school.value("SELECT password_hash FROM users WHERE id = $1", user_id) == old
    assert await attempt(school, worker, email) == "in"
    renewed = await school.value("SELECT password_hash FROM users WHERE id = $1", user_id)
    assert "m=19456,t=2,p=1" in renewed
    assert await attempt(school, worker, email) == "in"
    assert await school.value("SELECT password_hash FROM users WHERE id = $1", user_id) == renewed


async def test_a_password_changed_while_it_was_verified_does_not_let_in(
    school: School, worker: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, email = await school.person()
    verify = worker.passwords.verify

    async def slow(password_hash: str | None, password: str) -> bool:
        found = await verify(password_hash, password)
        await school.database.execute("UPDATE users SET password_hash = 'another' WHERE id = $1", user_id)
        return found

    monkeypatch.setattr(worker.passwords, "verify", slow)
    assert await attempt(school, worker, email) == "WRONG_CREDENTIALS"
    assert await school.value("SELECT count(*) FROM sessions WHERE user_id = $1", user_id) == 0
    assert await school.value("SELECT max(failures) FROM sign_in_throttles") == 0, "it was right when it was sent"


@pytest.mark.parametrize(
    "email",
    ["x" * 321, "\u200b" * 400, "a" + "\u0301\u0316" * 65_000, "a" + "\u0301\u0316" * 100],
    ids=["long", "invisible", "marks", "short"],
)
async def test_an_address_that_can_be_nobodys_is_not_normalised(
    school: School, worker: Authenticator, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    normalised: list[str] = []

    def noted(_: str, text: str) -> str:
        normalised.append(text)
        return text

    monkeypatch.setattr("rules.text.unicodedata.normalize", noted)
    assert await attempt(school, worker, email, "wrong", None) == "WRONG_CREDENTIALS"
    assert email not in normalised


async def test_no_spelling_of_an_address_tells_whether_there_is_an_account(school: School, worker: Authenticator) -> None:
    """Checks that accounts are found by any spelling of their address, and so are the counters of addresses without an account."""
    known = f"zo\u00e9.{uuid4().hex}@school.example"
    await school.person(email=known)
    answers = []
    for email in (known, f"zo\u00e9.{uuid4().hex}@school.example"):
        spellings = [
            email,
            f"\u200b{email}",
            f"{email}\ufeff",
            unicodedata.normalize("NFD", email),
            email.upper(),
            f" {email.title()}\u00a0",
        ]
        answers.append([await attempt(school, worker, spellings[number % 6], "wrong", None) for number in range(12)])
    assert answers[0] == answers[1] == ["WRONG_CREDENTIALS"] * (ACCOUNT.free + 1) + ["RATE_LIMITED"] * (11 - ACCOUNT.free)


async def test_texts_that_can_be_nobodys_address_are_counted_as_one(school: School, worker: Authenticator) -> None:
    texts = ["", "\u200b", "x" * 321, "y" * 100_000, "a\0@b", "a\u202e@b", "a" + "\u0301" * 31]
    answers = [await attempt(school, worker, each, "wrong", None) for each in texts]
    assert answers == ["WRONG_CREDENTIALS"] * (ACCOUNT.free + 1) + ["RATE_LIMITED"]


async def test_old_sessions_are_deleted_at_the_next_sign_in(school: School, worker: Authenticator) -> None:
    user_id, email = await school.person()
    assert await attempt(school, worker, email) == "in"
    school.clock.advance(days=61)
    assert await attempt(school, worker, email) == "in"
    assert await school.value("SELECT count(*) FROM sessions WHERE user_id = $1", user_id) == 1


async def test_sign_out_ends_this_session_or_all(school: School) -> None:
    here, there = await school.worker(), await school.worker()
    _, email = await school.person()
    granted = [await school.signed_in(here, email=email) for _ in range(4)]
    (first, first_viewer), (second, second_viewer), (third, _), _ = granted
    for each, _ in granted:
        assert await is_good(there, each)
    assert await sign_out(school.context(here, first_viewer), everywhere=False) == 1
    assert not await is_good(here, first)
    assert await is_good(here, second)
    assert await sign_out(school.context(here, first_viewer), everywhere=False) == 0
    assert await sign_out(school.context(here, second_viewer), everywhere=True) == 3
    assert not await is_good(here, second)
    assert not await is_good(here, third)
    await there.wait_until_propagated()
    assert not any([await is_good(there, each) for each, _ in granted])


@pytest.mark.parametrize("viewer", [ANONYMOUS, Viewer(None, None, None, frozenset({"health:read"}))])
async def test_who_has_no_session_ends_none(school: School, worker: Authenticator, viewer: Viewer) -> None:
    granted, _ = await school.signed_in(worker)
    with pytest.raises(Refusal) as refusal:
        await sign_out(school.context(worker, viewer), everywhere=True)
    assert refusal.value.code == "UNAUTHENTICATED"
    with pytest.raises(Refusal):
        await change_password(school.context(worker, viewer), PASSWORD, NEW)
    assert await is_good(worker, granted)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", None),
        (None, None),
        ("/run/socket", None),
    ],
)
def test_the_network_of_an_address(address: str | None, network: str | None) -> None:
    found = Client.of(address, None).network
    assert (found and str(found)) == network


def test_what_a_client_calls_itself_is_kept_short_and_printable() -> None:
    assert Client.of(None, "a\x00b\r\n" + "c" * 1000).user_agent == "ab" + "c" * 395
    assert Client.of(None, "").user_agent is None
