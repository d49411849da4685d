"""Computes statements of account: the effect of each ledger entry on the balance, and the running balances."""

from collections.abc import Iterable
from decimal import Decimal

__all__ = ["balance_effect", "running_balances"]


def balance_effect(kind: str, amount: Decimal, corrected_kind: str | None = None) -> Decimal:
    """Returns the change of the balance by an entry: CHARGE and REFUND increase it, PAYMENT and WAIVER reduce it, CORRECTION reverses an entry.

    A CANCELLATION reduces it by what was still owed when the charge was cancelled, which is its `amount`.
    """
    if kind == "CORRECTION":
        return -balance_effect(corrected_kind or "", amount)
    return {"CHARGE": amount, "REFUND": amount, "PAYMENT": -amount, "WAIVER": -amount, "CANCELLATION": -amount}[kind]


def running_balances(opening: Decimal, effects: Iterable[Decimal]) -> list[Decimal]:
    """Returns the balance after each entry. The last one is the closing balance; without entries that is `opening`."""
    balances = []
    for each in effects:
        opening += each
        balances.append(opening)
    return balances
