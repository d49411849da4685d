"""Cursors: encrypted positions in a list, for keyset paging. They stay valid when rows are inserted, since they name a row and not an offset.

A position is the value that the list is sorted by and the row's id. A readable cursor would reveal a value that was not selected, and a
forgeable one would let clients compare rows with any value. AES-SIV (RFC 5297) needs no nonce: the same position in the same list always has
the same cursor, and a tampered cursor does not decrypt.
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
# Longer than any real cursor: lists are sorted by names, numbers and times.
_MAX_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position: the text of the sort value, and the row's id as a tie-breaker."""

    value: str
    id: UUID


class CursorCipher:
    """Encrypts with the first key (32 bytes each) and decrypts with any of them. `list_name` is authenticated, too."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = [AESSIV(each) for each in keys]
        self._encrypt = self._ciphers[0].encrypt

    def seal(self, text: str, list_name: str) -> str:
        return urlsafe_b64encode(self._encrypt(text.encode(), [list_name.encode()])).rstrip(b"=").decode()

    def open(self, sealed: str, list_name: str) -> str:
        """Decrypts a cursor. Raises ValueError for a text that `seal` did not make for this list."""
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
    """Returns the process's cipher. All servers of a school share one secret, so any of them accepts the others' cursors."""
    settings = load_settings()
    if settings.secret_key is None:
        raise RuntimeError("SECRET_KEY is not set; `make run` generates one and keeps it")
    return CursorCipher(DerivedKeys(settings.secret_key, settings.secret_key_previous).derive(_PURPOSE))


def write_cursor(list_name: str, order: str, value: str, identifier: UUID) -> str:
    return _cipher().seal(f"{order}:{identifier.hex}:{value}", list_name)


def read_cursor(text: str, list_name: str, order: str, sql_type: str) -> Cursor:
    """Decrypts a cursor. Raises ValueError, with a message for the client, if it was not made for this list in this order."""
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


# Values are checked before PostgreSQL casts them: an order's type may have changed since the cursor was made.
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
