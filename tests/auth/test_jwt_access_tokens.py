"""Tests access tokens: only those of this server are accepted, until they expire; any other is UNAUTHENTICATED."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from auth.jwt_access_tokens import LIFETIME, AccessTokens
from auth.key_derivation import DerivedKeys
from execution.errors import Refusal
from tests.auth.school import HandClock

SECRET = "s" * 40
OTHER = "o" * 40
USER, SESSION = uuid4(), uuid4()


def issue(tokens: AccessTokens, clock: HandClock, until: datetime | None = None) -> str:
    return tokens.issue(USER, SESSION, "TEACHER", until or clock.now() + timedelta(days=30))[0]


def refused(tokens: AccessTokens, token: str) -> bool:
    with pytest.raises(Refusal) as refusal:
        tokens.read(token)
    return refusal.value.code == "UNAUTHENTICATED"


def test_a_token_names_its_user_and_session_for_fifteen_minutes() -> None:
    clock = HandClock()
    tokens = AccessTokens(DerivedKeys(SECRET), clock)
    token, expires_at = tokens.issue(USER, SESSION, "TEACHER", clock.now() + timedelta(days=30))
    assert expires_at == clock.now() + LIFETIME
    claims = tokens.read(token)
    assert (claims.user_id, claims.session_id, claims.expires_at) == (USER, SESSION, expires_at)
    clock.advance(seconds=LIFETIME.total_seconds() - 1)
    tokens.read(token)
    clock.advance(seconds=1)
    assert refused(tokens, token)


def test_a_token_does_not_outlive_its_session() -> None:
    clock = HandClock()
    tokens = AccessTokens(DerivedKeys(SECRET), clock)
    token = issue(tokens, clock, clock.now() + timedelta(minutes=3))
    clock.advance(minutes=3)
    assert refused(tokens, token)


def test_a_secret_is_replaced_without_signing_anybody_out() -> None:
    clock = HandClock()
    before, after = AccessTokens(DerivedKeys(SECRET), clock), AccessTokens(DerivedKeys(OTHER, SECRET), clock)
    assert after.read(issue(before, clock)).user_id == USER
    assert refused(before, issue(after, clock))
    assert refused(AccessTokens(DerivedKeys(OTHER), clock), issue(before, clock))


def test_the_claims_are_those_that_were_promised() -> None:
    clock = HandClock()
    header, payload, _ = (part + "==" for part in issue(AccessTokens(DerivedKeys(SECRET), clock), clock).split("."))
    assert set(json.loads(base64.urlsafe_b64decode(header))) == {"alg", "typ", "kid"}
    assert set(json.loads(base64.urlsafe_b64decode(payload))) == {"iss", "aud", "sub", "sid", "role", "iat", "exp"}


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 0},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": None},
        {"iss": "elsewhere"},
        {"aud": "elsewhere"},
        {"sub": "1"},
        {"sub": 1},
        {"sid": None},
        {"iat": 4_000_000_000},
    ],
)
def test_a_claim_that_is_not_ours_is_refused_even_well_signed(changed: dict[str, Any]) -> None:
    clock = HandClock()
    keys = DerivedKeys(SECRET)
    tokens = AccessTokens(keys, clock)
    claims = {"iss": "rollcall", "aud": "rollcall-api", "sub": str(USER), "sid": str(SESSION), "role": "ADMIN"}
    claims |= {"iat": int(clock.now().timestamp()), "exp": int(clock.now().timestamp()) + 60}
    header = {"alg": "HS256", "typ": "at+jwt", "kid": keys.derive("key id")[0].hex()[:16]}
    key = OctKey.import_key(keys.derive("access token")[0])
    assert tokens.read(jwt.encode(header, dict(claims), key)).user_id == USER
    assert refused(tokens, jwt.encode(header, claims | changed, key))


def test_another_algorithm_header_or_purpose_is_refused() -> None:
    clock = HandClock()
    keys = DerivedKeys(SECRET)
    tokens = AccessTokens(keys, clock)
    header, payload, signature = issue(tokens, clock).split(".")

    def encoded(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    assert refused(tokens, f"{encoded({'alg': 'none'})}.{payload}.")
    assert refused(tokens, f"{header}.{payload}.")
    assert refused(tokens, f"{encoded({'alg': 'HS256'})}.{payload}.{signature}")
    assert refused(tokens, f"{header}.{encoded({'sub': str(USER)})}.{signature}")
    for wrong in (keys.derive("refresh token")[0], SECRET.encode(), b"\0" * 32):
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        made = jwt.encode(json.loads(base64.urlsafe_b64decode(header + "==")), claims, OctKey.import_key(wrong))
        assert made.split(".")[0] == header
        assert refused(tokens, made)


@given(st.text() | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_garbage_is_unauthenticated_and_nothing_else(text: str) -> None:
    assert refused(AccessTokens(DerivedKeys(SECRET), HandClock()), text)


@given(position=st.integers(0, 400), letter=st.characters(codec="ascii"), user=st.uuids())
def test_a_token_with_one_letter_changed_is_refused(position: int, letter: str, user: UUID) -> None:
    clock = HandClock()
    tokens = AccessTokens(DerivedKeys(SECRET), clock)
    token, _ = tokens.issue(user, SESSION, "ADMIN", clock.now().astimezone(UTC) + timedelta(days=1))
    position %= len(token) - 1  # the last letter holds bits that no byte of the signature uses
    changed = token[:position] + letter + token[position + 1 :]
    if changed != token:
        assert refused(tokens, changed)
