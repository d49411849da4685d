"""Money: amounts in a currency's smallest unit, how a payment is spread over charges, how a charge stands. Decimal only, no floats."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

__all__ = ["Share", "Totals", "allocate", "balance", "exponent", "fits", "format_amount", "from_minor", "status"]

# ISO 4217. The database's currency_exponent() says the same; a test compares the two.
_NONE = frozenset(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"])
_THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
# numeric(14, 3)
_BEYOND = Decimal(10) ** 11


@dataclass(frozen=True, slots=True)
class Totals:
    """What moved on a charge, each zero or more: `amount` was charged."""

    amount: Decimal
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    waived: Decimal = Decimal(0)
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A charge that a payment may go to: what is owed on it, what the payer said it gets (None: its part of the rest), when it falls due."""

    owed: Decimal
    given: Decimal | None = None
    due: date = date.min


def exponent(currency: str) -> int:
    """How many decimals a currency's smallest unit has: 0, 2 or 3."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def fits(amount: Decimal, currency: str) -> bool:
    """Whether an amount is above zero, below 10^11, and a whole number of the currency's smallest units."""
    if not amount.is_finite() or not 0 < amount < _BEYOND:
        return False
    try:
        return amount == amount.quantize(Decimal(1).scaleb(-exponent(currency)))
    except InvalidOperation:
        return False


def format_amount(amount: Decimal, currency: str) -> Decimal:
    """An amount that fits, with all of its currency's decimals: 100.00 EUR, 100 JPY."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)))


def from_minor(units: int, decimals: int) -> Decimal:
    """An amount from a count of units of which 10^decimals make one."""
    return Decimal(units).scaleb(-decimals)


def status(totals: Totals) -> str:
    """How a charge stands, a function of its ledger.

    due = amount − waivers, net = payments − refunds; cancelled → CANCELLED; due = 0 → WAIVED; net = 0 and refunds > 0 → REFUNDED;
    net = 0 → PENDING; net < due → PARTIAL; else PAID. Source: the school's rules of fees and payments.
    """
    due, net = totals.amount - totals.waived, totals.paid - totals.refunded
    if totals.is_cancelled:
        return "CANCELLED"
    if due == 0:
        return "WAIVED"
    if net == 0:
        return "REFUNDED" if totals.refunded > 0 else "PENDING"
    return "PARTIAL" if net < due else "PAID"


def balance(totals: Totals) -> Decimal:
    """What is still owed; nothing on a cancelled charge."""
    return Decimal(0) if totals.is_cancelled else totals.amount - totals.waived - (totals.paid - totals.refunded)


def allocate(amount: Decimal, shares: Sequence[Share]) -> tuple[list[Decimal], Decimal]:
    """Spreads an amount over shares: those with a given part get it; the others, earliest due first, all that they owe while there is some.

    The answer is a part for each share, in their order, and what is left: parts and rest add up to the amount, to the smallest unit. A rest
    above zero found no place; below zero, more was given out than there is. Source: allocations add up to their payment.
    """
    parts = [Decimal(0) if each.given is None else each.given for each in shares]
    left = amount - sum(parts, Decimal(0))
    for place in sorted((n for n, each in enumerate(shares) if each.given is None), key=lambda n: (shares[n].due, n)):
        parts[place] = max(Decimal(0), min(left, shares[place].owed))
        left -= parts[place]
    return parts, left
