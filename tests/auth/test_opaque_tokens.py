"""Opaque tokens: their form, and what is stored of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.opaque_tokens import Kind, fingerprint, is_token, mint, successor


@pytest.mark.parametrize("kind", list(Kind))
def test_a_token_says_what_it_is_for(kind: Kind) -> None:
    token = mint(kind)
    assert re.fullmatch(r"rc[srp]_[A-Za-z0-9_-]{43}", token)
    assert [each for each in Kind if is_token(each, token)] == [kind]


def test_no_two_tokens_are_the_same() -> None:
    assert len({mint(Kind.REFRESH) for _ in range(100)}) == 100


def test_a_successor_is_the_same_each_time_and_depends_on_the_key() -> None:
    token = mint(Kind.REFRESH)
    following = successor(token, b"a" * 32)
    assert is_token(Kind.REFRESH, following)
    assert following == successor(token, b"a" * 32)
    assert following not in (token, successor(token, b"b" * 32), successor(mint(Kind.REFRESH), b"a" * 32))


def test_what_is_stored_is_a_hash() -> None:
    token = mint(Kind.SERVICE)
    assert len(fingerprint(token)) == 32
    assert fingerprint(token) != fingerprint(token + "x")


@given(st.text())
def test_other_texts_are_no_tokens(text: str) -> None:
    assert not any(is_token(kind, text) for kind in Kind)


@given(st.sampled_from(Kind), st.text(alphabet="=+/ \n\u00e9", min_size=1))
def test_a_token_with_something_after_it_is_none(kind: Kind, tail: str) -> None:
    assert not is_token(kind, mint(kind) + tail)
