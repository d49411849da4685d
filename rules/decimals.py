"""Decimal numbers as they are, whatever context they are counted in: how many decimals one has, and one text for all ways to write it."""

import re
from decimal import Decimal

__all__ = ["canonical", "decimals", "read_decimal"]

_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# Far more than any column keeps, and few enough that no arithmetic on them is slow.
_MOST_DIGITS = 100


def read_decimal(text: str) -> Decimal:
    """Reads a number in plain digits. Raises ValueError, with a sentence for the client, for any other notation.

    An exponent is refused before Python reads it: `1e999999999` is short, and its plain digits fill the memory. Python's reader also takes
    underscores, blanks and the digits of every script.
    """
    if _PLAIN.fullmatch(text) is None:
        raise ValueError("Not a decimal number: write it in plain digits without an exponent, such as 12.50.")
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"Has too many digits: at most {_MOST_DIGITS} characters are taken.")
    return Decimal(text)


def decimals(number: Decimal) -> int:
    """How many decimals a finite number needs, zeros at its end not counted: 2 for 1.250, 0 for 1E+3."""
    _, count = _significant(number)
    return max(0, -count)


def canonical(number: Decimal) -> str:
    """The same text for finite numbers that are equal, and for no others: 10, 10.00 and 1E+1 are one number."""
    digits, exponent = _significant(number)
    return f"{'-' if digits and number.is_signed() else ''}{digits or '0'}E{exponent}"


def _significant(number: Decimal) -> tuple[str, int]:
    """A number's digits without zeros at either end, and the exponent of the last; nothing and 0 for zero. `normalize` would round to 28 digits."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits)).lstrip("0")
    shortened = written.rstrip("0")
    return (shortened, exponent + len(written) - len(shortened)) if shortened else ("", 0)
