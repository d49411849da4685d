"""Parses decimal numbers, counts their decimals, and gives equal numbers one canonical text, independent of the decimal context."""

import re
from decimal import Decimal

__all__ = ["canonical", "decimals", "read_decimal"]

_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# Far more than any column stores, and few enough for fast arithmetic.
_MOST_DIGITS = 100


def read_decimal(text: str) -> Decimal:
    """Parses a number in plain digits. Raises ValueError, with a message for the client, for any other notation.

    Exponents are refused before Python parses them: `1e999999999` is short, but its plain digits would fill the memory. Python's parser also
    accepts underscores, blanks and the digits of every script.
    """
    if _PLAIN.fullmatch(text) is None:
        raise ValueError("Not a decimal number: write it in plain digits without an exponent, such as 12.50.")
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"Has too many digits: at most {_MOST_DIGITS} characters are allowed.")
    return Decimal(text)


def decimals(number: Decimal) -> int:
    """Returns the number of decimals of a finite number without trailing zeros: 2 for 1.250, 0 for 1E+3."""
    _, count = _significant(number)
    return max(0, -count)


def canonical(number: Decimal) -> str:
    """Returns a text that is the same for equal finite numbers (10, 10.00 and 1E+1), and differs for all others."""
    digits, exponent = _significant(number)
    return f"{'-' if digits and number.is_signed() else ''}{digits or '0'}E{exponent}"


def _significant(number: Decimal) -> tuple[str, int]:
    """Returns the digits without leading and trailing zeros, and the exponent of the last digit; ("", 0) for zero.

    `Decimal.normalize` would round to 28 digits.
    """
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits)).lstrip("0")
    shortened = written.rstrip("0")
    return (shortened, exponent + len(written) - len(shortened)) if shortened else ("", 0)
