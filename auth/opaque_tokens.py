"""Generates opaque tokens: a prefix that names the type, followed by 256 random bits. The database stores only their SHA-256.

The prefix lets people and secret scanners recognise them: `rcs_` is a service token, `rcr_` a refresh token, `rcp_` a password reset.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from enum import Enum
from secrets import token_bytes

__all__ = ["TokenType", "generate_token", "hash_token", "is_well_formed", "next_refresh_token"]

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class TokenType(Enum):
    """The purpose of a token. The value is its prefix."""

    SERVICE = "rcs_"
    REFRESH = "rcr_"
    PASSWORD_RESET = "rcp_"  # noqa: S105 - a prefix, no password


def generate_token(kind: TokenType) -> str:
    """Returns a new token: the prefix and 43 characters (256 random bits in base64url)."""
    return _write(kind, token_bytes(32))


def next_refresh_token(token: str, key: bytes) -> str:
    """Derives the refresh token that replaces `token`. Deterministic, and unpredictable without the key."""
    return _write(TokenType.REFRESH, hmac.new(key, token.encode(), hashlib.sha256).digest())


def is_well_formed(kind: TokenType, text: str) -> bool:
    """Returns whether a text has the format of a token of this type. Only the database knows whether it was issued."""
    return text.startswith(kind.value) and _SECRET.fullmatch(text, len(kind.value)) is not None


def hash_token(token: str) -> bytes:
    """Returns the hash (32 bytes) under which a token is stored. No salt or slow hash is needed: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


def _write(kind: TokenType, secret: bytes) -> str:
    return kind.value + urlsafe_b64encode(secret).rstrip(b"=").decode()
