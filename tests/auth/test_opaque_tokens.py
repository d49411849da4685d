"""Tests the format of opaque tokens, and what is stored of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.opaque_tokens import TokenType, generate_token, hash_token, is_well_formed, next_refresh_token


@pytest.mark.parametrize("kind", list(TokenType))
def test_a_token_says_what_it_is_for(kind: TokenType) -> None:
    token = generate_token(kind)
    assert re.fullmatch(r"rc[srp]_[A-Za-z0-9_-]{43}", token)
    assert [each for each in TokenType if is_well_formed(each, token)] == [kind]


def test_no_two_tokens_are_the_same() -> None:
    assert len({generate_token(TokenType.REFRESH) for _ in range(100)}) == 100


def test_a_successor_is_the_same_each_time_and_depends_on_the_key() -> None:
    token = generate_token(TokenType.REFRESH)
    following = next_refresh_token(token, b"a" * 32)
    assert is_well_formed(TokenType.REFRESH, following)
    assert following == next_refresh_token(token, b"a" * 32)
    assert following not in (token, next_refresh_token(token, b"b" * 32), next_refresh_token(generate_token(TokenType.REFRESH), b"a" * 32))


def test_what_is_stored_is_a_hash() -> None:
    token = generate_token(TokenType.SERVICE)
    assert len(hash_token(token)) == 32
    assert hash_token(token) != hash_token(token + "x")


@given(st.text())
def test_other_texts_are_no_tokens(text: str) -> None:
    assert not any(is_well_formed(kind, text) for kind in TokenType)


@given(st.sampled_from(TokenType), st.text(alphabet="=+/ \n\u00e9", min_size=1))
def test_a_token_with_something_after_it_is_none(kind: TokenType, tail: str) -> None:
    assert not is_well_formed(kind, generate_token(kind) + tail)
