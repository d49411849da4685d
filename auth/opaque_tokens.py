"""Opaque tokens: 256 random bits after a prefix that says what they are for. The database keeps their SHA-256 alone.

The prefix lets people and secret scanners tell them apart: `rcs_` a service token, `rcr_` a refresh token, `rcp_` a password reset.
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
    """What a token is for; the value is its prefix."""

    SERVICE = "rcs_"
    REFRESH = "rcr_"
    PASSWORD_RESET = "rcp_"  # noqa: S105 - a prefix, no password


def generate_token(kind: TokenType) -> str:
    """A new token: the prefix and 43 characters (256 random bits in base64url)."""
    return _write(kind, token_bytes(32))


def next_refresh_token(token: str, key: bytes) -> str:
    """The refresh token that follows another: the same one each time, and without the key nobody can tell which."""
    return _write(TokenType.REFRESH, hmac.new(key, token.encode(), hashlib.sha256).digest())


def is_well_formed(kind: TokenType, text: str) -> bool:
    """Whether a text has the form of a token of this kind; whether it is one only the database knows."""
    return text.startswith(kind.value) and _SECRET.fullmatch(text, len(kind.value)) is not None


def hash_token(token: str) -> bytes:
    """What is stored of a token and looked up: 32 bytes. A plain hash will do, for 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


def _write(kind: TokenType, secret: bytes) -> str:
    return kind.value + urlsafe_b64encode(secret).rstrip(b"=").decode()
