"""Cursors: a row's place in an order, encrypted. They survive inserts, since they name a place and not a count.

A place is the value that the list is sorted by and the row's id. A client that could read it would read a value that it did not ask for, and one
that could write it would compare rows with any value. AES-SIV (RFC 5297) needs no nonce: the same place in the same list has the same cursor,
and a changed one does not open.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from auth.key_derivation import DerivedKeys
from config import load_settings

__all__ = ["Cursor", "CursorCipher", "read_cursor", "write_cursor"]

_PURPOSE = "cursors"
# Longer than any that is made: a value that a list is sorted by is a name, a number or a moment.
_MAX_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place: the text of the order's expression, and the row's id to break ties."""

    value: str
    id: UUID


class CursorCipher:
    """Encrypts with the first key (32 bytes each); opens what any of them made. `list_name` is part of what is authenticated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESSIV(each) for each in keys]
        self._encrypt = self._ciphers[0].encrypt

    def seal(self, text: str, list_name: str) -> str:
        return urlsafe_b64encode(self._encrypt(text.encode(), [list_name.encode()])).rstrip(b"=").decode()

    def open(self, sealed: str, list_name: str) -> str:
        """Raises ValueError for a text that `seal` did not make for this list."""
        if len(sealed) > _MAX_LENGTH:
            raise ValueError(sealed[:20])
        data = urlsafe_b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4))
        for each in self._ciphers:
            try:
                return each.decrypt(data, [list_name.encode()]).decode()
            except InvalidTag:
                continue
        raise ValueError(sealed[:20])


@lru_cache(maxsize=1)
def _cipher() -> CursorCipher:
    """The process's cipher: every server of a school has the same secret, so a cursor of one is good at all of them."""
    settings = load_settings()
    if settings.secret_key is None:
        raise RuntimeError("SECRET_KEY is not set; `make run` generates one and keeps it")
    return CursorCipher(DerivedKeys(settings.secret_key, settings.secret_key_previous).derive(_PURPOSE))


def write_cursor(list_name: str, order: str, value: str, identifier: UUID) -> str:
    return _cipher().seal(f"{order}:{identifier.hex}:{value}", list_name)


def read_cursor(text: str, list_name: str, order: str, sql_type: str) -> Cursor:
    """The place that a cursor names. Raises ValueError, with a sentence for the client, for a cursor that this list in this order never gave."""
    try:
        found_order, identifier, value = _cipher().open(text, list_name).split(":", 2)
        place = Cursor(value, UUID(hex=identifier))
        if found_order == order:
            _PARSERS[sql_type](value)
    except (ValueError, KeyError, ArithmeticError, binascii.Error):
        raise ValueError("is not a cursor of this list, or was made before the server's secret changed: start again without it") from None
    if found_order != order:
        raise ValueError("is a cursor of this list in another order: keep the order, or start again without it")
    return place


def _moment(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda value: value if value in ("infinity", "-infinity") else read(value)


def _finite(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return number


def _within(bits: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(value)
        return number

    return read


# What PostgreSQL will be asked to cast is looked at first: an order may have changed its type since the cursor was made.
_PARSERS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "date": _moment(date.fromisoformat),
    "timestamptz": _moment(datetime.fromisoformat),
    "time": time.fromisoformat,
    "numeric": _finite,
    "smallint": _within(16),
    "integer": _within(32),
    "bigint": _within(64),
}
