"""A statement of account: what was owed before, what happened, what was owed after each entry."""

from collections.abc import Iterable
from decimal import Decimal

__all__ = ["balance_effect", "running_balances"]


def balance_effect(kind: str, amount: Decimal, corrected_kind: str | None = None) -> Decimal:
    """What an entry adds to what is owed: a charge and a refund add, a payment and a waiver take away; a correction undoes what it takes back.

    CANCELLATION takes away what was still owed when the charge was cancelled: `amount` is that.
    """
    if kind == "CORRECTION":
        return -balance_effect(corrected_kind or "", amount)
    return {"CHARGE": amount, "REFUND": amount, "PAYMENT": -amount, "WAIVER": -amount, "CANCELLATION": -amount}[kind]


def running_balances(opening: Decimal, effects: Iterable[Decimal]) -> list[Decimal]:
    """What is owed after each entry; the last is the closing balance, which is the opening one without entries."""
    balances = []
    for each in effects:
        opening += each
        balances.append(opening)
    return balances
