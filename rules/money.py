"""Computes with money: smallest units of currencies, allocation of payments to charges, balances. Uses decimals only, no floats."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

__all__ = ["Share", "Totals", "allocate", "balance", "exponent", "fits", "format_amount", "from_minor", "status"]

# ISO 4217. The SQL function currency_exponent() has the same table; a test compares them.
_NONE = frozenset(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"])
_THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
# numeric(14, 3)
_BEYOND = Decimal(10) ** 11


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a charge, each zero or more. `amount` is the amount charged."""

    amount: Decimal
    paid: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    waived: Decimal = Decimal(0)
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A charge that a payment can be allocated to: its balance, the amount the payer assigned to it (None: a share of the rest), its due date."""

    owed: Decimal
    given: Decimal | None = None
    due: date = date.min


def exponent(currency: str) -> int:
    """Returns the number of decimals of a currency: 0, 2 or 3."""
    return 0 if currency in _NONE else 3 if currency in _THREE else 2


def fits(amount: Decimal, currency: str) -> bool:
    """Returns whether an amount is positive, below 10^11, and a whole number of the currency's smallest unit."""
    if not amount.is_finite() or not 0 < amount < _BEYOND:
        return False
    try:
        return amount == amount.quantize(Decimal(1).scaleb(-exponent(currency)))
    except InvalidOperation:
        return False


def format_amount(amount: Decimal, currency: str) -> Decimal:
    """Returns an amount (which must fit) with all decimals of its currency: 100.00 for EUR, 100 for JPY."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)))


def from_minor(units: int, decimals: int) -> Decimal:
    """Converts a number of minor units, of which 10^decimals make one unit, to an amount."""
    return Decimal(units).scaleb(-decimals)


def status(totals: Totals) -> str:
    """Returns the status of a charge, as a function of its ledger.

    due = amount − waivers, net = payments − refunds; cancelled → CANCELLED; due = 0 → WAIVED; net = 0 and refunds > 0 → REFUNDED;
    net = 0 → PENDING; net < due → PARTIAL; otherwise PAID. Source: the school's rules for fees and payments.
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
    """Returns the outstanding balance, which is zero for a cancelled charge."""
    return Decimal(0) if totals.is_cancelled else totals.amount - totals.waived - (totals.paid - totals.refunded)


def allocate(amount: Decimal, shares: Sequence[Share]) -> tuple[list[Decimal], Decimal]:
    """Allocates an amount to shares. Those with a given part get it; the others get their full balance, earliest due first, while the amount lasts.

    Returns the part of each share, in their order, and the rest. Parts and rest add up to the amount exactly. A positive rest could not be
    allocated; a negative rest means that the given parts exceed the amount. Source: allocations add up to their payment.
    """
    parts = [Decimal(0) if each.given is None else each.given for each in shares]
    left = amount - sum(parts, Decimal(0))
    for place in sorted((n for n, each in enumerate(shares) if each.given is None), key=lambda n: (shares[n].due, n)):
        parts[place] = max(Decimal(0), min(left, shares[place].owed))
        left -= parts[place]
    return parts, left
