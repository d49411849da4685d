"""Tests which passwords are acceptable, and that hashing does not block the event loop."""

import asyncio
import os
import sys
import threading
import unicodedata
from typing import Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from auth.passwords import MAX_LENGTH, MIN_LENGTH, Passwords, password_problem


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "PASSWORD_TOO_SHORT"),
        ("nine char", "PASSWORD_TOO_SHORT"),
        ("x" * 129, "PASSWORD_TOO_LONG"),
        ("Ada.Byron@School.Example", "PASSWORD_IS_EMAIL"),
        ("ADA.LOVELACE", None),
        ("ada.byron@school.example ", None),
        ("Password123", "PASSWORD_TOO_COMMON"),
        ("rollcall-demo", "PASSWORD_TOO_COMMON"),
        ("aAaAaAaAaAaA", "PASSWORD_TOO_COMMON"),
        ("ababababababab", "PASSWORD_TOO_COMMON"),
        ("ten chars!", None),
        ("\N{GREEK SMALL LETTER ALPHA}βγδεζηθικ", None),
        ("correct horse battery staple", None),
    ],
)
def test_rules(password: str, code: str | None) -> None:
    problem = password_problem(password, "ada.byron@school.example")
    assert (problem and problem[0]) == code


def test_the_part_before_the_at_sign_is_no_password_either() -> None:
    problem = password_problem("Ada.Byron.1815", "ada.byron.1815@school.example")
    assert problem is not None
    assert problem[0] == "PASSWORD_IS_EMAIL"


@given(st.text(max_size=200))
def test_there_are_no_rules_about_kinds_of_characters(password: str) -> None:
    normal = unicodedata.normalize("NFKC", password)
    good = MIN_LENGTH <= len(normal) <= MAX_LENGTH and len(set(normal.casefold())) > 2
    assert (password_problem(password, None) is None) == good


@pytest.fixture
async def passwords() -> Passwords:
    return Passwords(threads=1)


async def test_a_hash_verifies_its_password_alone(passwords: Passwords) -> None:
    password_hash = await passwords.hash("correct horse battery")
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(password_hash, "correct horse battery")
    assert not await passwords.verify(password_hash, "correct horse batterz")
    assert not await passwords.verify("no hash at all", "correct horse battery")
    assert not await passwords.verify(None, "correct horse battery")


async def test_a_password_is_the_same_however_its_accents_are_typed(passwords: Passwords) -> None:
    assert await passwords.verify(await passwords.hash("cre\u0301me bru\u0302le\u0301e"), "cr\u00e9me br\u00fbl\u00e9e")


async def test_no_hash_takes_as_much_work_as_one(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the parent names it so
            verified.append(str(hash))
            return super().verify(hash, password)

    password_hash = await passwords.hash("correct horse battery")
    monkeypatch.setattr("auth.passwords._HASHER", Watched())
    for each in (password_hash, None):
        assert not await passwords.verify(each, "wrong")
    # It has the same algorithm, version and parameters, and salt and hash have the same lengths.
    one, none = (each.split("$") for each in verified)
    assert one[:4] == none[:4]
    assert [len(part) for part in one] == [len(part) for part in none]


async def test_half_a_surrogate_pair_is_a_password_like_any_other(passwords: Passwords) -> None:
    assert await passwords.verify(await passwords.hash("\ud800 is not text"), "\ud800 is not text")


async def test_weaker_parameters_are_noticed(passwords: Passwords) -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x"))
    assert not passwords.is_outdated(await passwords.hash("x"))


async def test_a_password_longer_than_any_that_may_be_chosen_is_wrong_and_is_not_normalised(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = "\N{LATIN SMALL LETTER A WITH RING BELOW}" * MAX_LENGTH
    password_hash = await passwords.hash(longest)
    assert await passwords.verify(password_hash, unicodedata.normalize("NFD", longest))
    normalised: list[int] = []
    normalize = unicodedata.normalize

    def noted(form: Literal["NFKC"], text: str) -> str:
        normalised.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr("auth.passwords.unicodedata.normalize", noted)
    assert not await passwords.verify(password_hash, longest * 1_000)
    problem = password_problem(longest * 1_000, None)
    assert problem is not None
    assert problem[0] == "PASSWORD_TOO_LONG"
    assert normalised == [0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority is a process's")
async def test_hashing_has_a_lower_priority_than_the_event_loop(passwords: Passwords) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    theirs = await passwords._run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert theirs > ours
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours


async def test_the_event_loop_goes_on_while_a_password_is_hashed(passwords: Passwords) -> None:
    task = asyncio.create_task(passwords.hash("correct horse battery"))
    turns = 0
    while not task.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100
