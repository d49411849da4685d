"""Decimal numbers as they are, whatever context they are counted in: how many decimals one has, and one text for all ways to write it."""

from decimal import Decimal

__all__ = ["canonical", "decimals"]


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
