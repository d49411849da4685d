"""Payments, refunds, waivers and corrections. All rules are checked under the locks of the charges, and all errors are reported at once.

Locks are always taken in the same order: charges by id, then the counter of receipt numbers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.row_writes import to_json
from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values
from resolvers.user_errors import UserError
from resolvers.writing.charges import reason_errors
from rules.money import Share, allocate, fits

__all__ = ["book_payment", "correct_payment", "record_payment", "refund_payment", "waive_charge"]

_MAX_NOTE = 300
_INVALID_AMOUNT = "The amount must be greater than zero and must not have more decimals than its currency."


async def record_payment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Records one payment for charges of one family: an entry for each charge, and one receipt with the year's next number."""
    return await book_payment(tx, given, user_id=tx.user_id)


async def book_payment(
    tx: MutationTransaction, given: Values, *, user_id: UUID | None, gateway: str | None = None, gateway_id: str | None = None
) -> PayloadValues:
    """Books a payment: `allocations` of `charge_id` and `amount` (None: its share of the rest), `amount`, `currency`, `method`.

    Returns the ids of the `receipt`, its `transactions` and the `charges`. Raises Rejected with everything that is wrong.
    """
    allocations = given["allocations"]
    ids = sorted({each["charge_id"] for each in allocations if each["charge_id"] is not None})
    charges = {row["id"]: row for row in await tx.rows(queries.lock_charges, ids=ids)}
    year = await tx.row(queries.receipt_year)
    errors = _allocation_errors(allocations, charges, given["currency"])
    if not fits(given["amount"], given["currency"]):
        errors.append(UserError("amount", "INVALID", _INVALID_AMOUNT))
    if len(given.get("note") or "") > _MAX_NOTE:
        errors.append(UserError("note", "INVALID", f"The note must have at most {_MAX_NOTE} characters."))
    if year is None:
        errors.append(UserError(None, "NO_YEAR", "There is no academic year to number the receipt in. Create one first."))
    errors += _time_errors(given, None if year is None else year["now"])
    students = sorted({charge["student_id"] for charge in charges.values()})
    if len(students) > 1 and await tx.row(queries.common_guardian, student_ids=students) is None:
        errors.append(
            UserError("allocations", "NO_COMMON_GUARDIAN", "One payment can only cover the charges of students who share a guardian.")
        )
    entries = _allocate(given["amount"], allocations, charges, errors)
    if errors:
        raise Rejected(*errors)
    booked = await tx.row(
        queries.book_payment,
        academic_year_id=year["id"],
        user_id=user_id,
        currency=given["currency"],
        method=given["method"],
        reason=given.get("note") or None,
        gateway=gateway,
        gateway_id=gateway_id,
        occurred_at=given.get("occurred_at"),
        entries=to_json(entries),
    )
    paid = [each["payment_id"] for each in entries]
    return {"receipt": booked["receipt_id"], "transactions": booked["transaction_ids"], "charges": paid}


async def refund_payment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Refunds a payment in full or in part; a refunded charge can be paid again."""
    errors = reason_errors(given)
    entry, charge = await _entry(tx, given["id"], errors)
    if entry is None:
        raise Rejected(*errors)
    left = entry["amount"] - entry["refunded"]
    amount = left if given.get("amount") is None else given["amount"]
    errors += _cancelled(charge, "id") + _time_errors(given, entry["now"])
    if entry["kind"] != "PAYMENT":
        errors.append(UserError("id", "NOT_A_PAYMENT", "Only a payment can be refunded."))
    elif entry["is_corrected"]:
        errors.append(UserError("id", "CORRECTED", "The payment was corrected, so there is nothing to refund."))
    elif left <= 0:
        errors.append(UserError("id", "REFUND_TOO_LARGE", "The payment was already refunded in full."))
    elif not fits(amount, entry["currency"]):
        errors.append(UserError("amount", "INVALID", _INVALID_AMOUNT))
    elif amount > left:
        errors.append(
            UserError("amount", "REFUND_TOO_LARGE", f"At most {_format_amount(left, entry['currency'])} of this payment can be refunded.")
        )
    if errors:
        raise Rejected(*errors)
    method = given.get("method") or entry["method"]
    refund = await _book_entry(
        tx, charge, "REFUND", amount, given, method=method, linked_id=entry["id"], occurred_at=given.get("occurred_at")
    )
    return {"transaction": refund, "charge": charge["id"]}


async def waive_charge(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Waives what is owed on a charge, in full or in part."""
    errors = reason_errors(given)
    charge = next(iter(await tx.rows(queries.lock_charges, ids=[given["id"]])), None)
    if charge is None:
        raise Rejected(*errors, UserError("id", "NOT_FOUND", "There is no such charge."))
    amount = charge["balance"] if given.get("amount") is None else given["amount"]
    errors += _cancelled(charge, "id") or _waiver_errors(amount, charge)
    if errors:
        raise Rejected(*errors)
    return {"transaction": await _book_entry(tx, charge, "WAIVER", amount, given), "charge": charge["id"]}


async def correct_payment(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Reverses a wrong entry by a contra-entry, and books its replacement if one is given."""
    errors = reason_errors(given)
    replacement = given.get("replacement")
    replacement_charge_id = replacement.get("charge_id") if replacement else None
    entry, charge, other = await _lock_entry_and_charge(tx, given["id"], replacement_charge_id, errors)
    if entry is None:
        raise Rejected(*errors)
    errors += _cancelled(charge, "id")
    if entry["kind"] == "CORRECTION":
        errors.append(UserError("id", "NOT_CORRECTABLE", "A correction cannot be corrected. Record the original entry again instead."))
    elif entry["is_corrected"]:
        errors.append(UserError("id", "CORRECTED", "The entry was already corrected."))
    elif entry["kind"] == "PAYMENT" and entry["refunded"] > 0:
        errors.append(UserError("id", "HAS_REFUNDS", "The payment was refunded in part or in full. Correct the refund first."))
    elif entry["kind"] == "REFUND" and charge["balance"] < entry["amount"]:
        errors.append(UserError("id", "OVERPAID", "The charge has been paid again since, so correcting the refund would overpay it."))
    if replacement is not None:
        errors += await _replacement_errors(tx, replacement, entry, charge, other)
    if errors:
        raise Rejected(*errors)
    contra_entry = {"kind": "CORRECTION", "corrected_kind": entry["kind"], "receipt_id": entry["receipt_id"], "linked_id": entry["id"]}
    correction = await _book_entry(tx, charge, amount=entry["amount"], given=given, method=entry["method"], **contra_entry)
    answer: dict[str, Any] = {"correction": correction, "charge": charge["id"]}
    if replacement is not None:
        answer |= await _book_replacement(tx, replacement, entry, other or charge, given)
    return answer


async def _replacement_errors(tx: MutationTransaction, replacement: Values, entry: Any, charge: Any, other: Any) -> list[UserError]:
    """Returns what is wrong with the replacement, as if the wrong entry had already been reversed."""
    field, errors = "replacement.amount", []
    amount, target = replacement["amount"], other or charge
    if replacement.get("charge_id") is not None and entry["kind"] == "REFUND":
        errors.append(UserError("replacement.chargeId", "NOT_ALLOWED", "A refund must stay on the charge of its payment."))
    if replacement.get("method") is not None and entry["kind"] == "WAIVER":
        errors.append(UserError("replacement.method", "NOT_ALLOWED", "A waiver has no payment method."))
    if other is not None:
        errors += _cancelled(other, "replacement.chargeId")
        if other["currency"] != entry["currency"]:
            errors.append(
                UserError(
                    "replacement.chargeId",
                    "WRONG_CURRENCY",
                    f"The charge must be in the currency of the corrected entry, {entry['currency']}.",
                )
            )
    errors += _time_errors(replacement, entry["now"], "replacement.occurredAt")
    if not fits(amount, entry["currency"]):
        return [*errors, UserError(field, "INVALID", _INVALID_AMOUNT)]
    if entry["kind"] == "REFUND":
        paid = await tx.row(queries.entry_facts, id=entry["linked_id"])
        left = paid["amount"] - paid["refunded"] + entry["amount"]
        if amount > left:
            errors.append(
                UserError(field, "REFUND_TOO_LARGE", f"At most {_format_amount(left, entry['currency'])} of the payment can be refunded.")
            )
    elif amount > target["balance"] + (entry["amount"] if other is None else 0):
        code = "OVERPAID" if entry["kind"] == "PAYMENT" else "WAIVER_TOO_LARGE"
        errors.append(UserError(field, code, "The amount is more than is owed on the charge."))
    return errors


async def _book_replacement(tx: MutationTransaction, replacement: Values, entry: Any, charge: Any, given: Values) -> PayloadValues:
    occurred_at = replacement.get("occurred_at") or entry["occurred_at"]
    if entry["kind"] != "PAYMENT":
        method = replacement.get("method") or entry["method"]
        made = await _book_entry(
            tx, charge, entry["kind"], replacement["amount"], given, method=method, linked_id=entry["linked_id"], occurred_at=occurred_at
        )
        return {"transaction": made}
    payment = {
        "allocations": [{"charge_id": charge["id"], "amount": replacement["amount"]}],
        "amount": replacement["amount"],
        "currency": entry["currency"],
        "method": replacement.get("method") or entry["method"],
        "occurred_at": occurred_at,
        "note": given["reason"],
    }
    booked = await book_payment(tx, payment, user_id=tx.user_id)
    return {"transaction": booked["transactions"][0], "receipt": booked["receipt"]}


async def _book_entry(tx: MutationTransaction, charge: Any, kind: str, amount: Decimal, given: Values, **entry: Any) -> UUID:
    values = dict.fromkeys(("receipt_id", "linked_id", "corrected_kind", "method", "gateway", "gateway_id", "occurred_at"))
    values |= {"payment_id": charge["id"], "kind": kind, "amount": amount, "currency": charge["currency"], "reason": given["reason"]}
    made: UUID = await tx.value(queries.book_entry, user_id=tx.user_id, **(values | entry))
    return made


async def _entry(tx: MutationTransaction, entry_id: UUID, errors: list[UserError]) -> tuple[Any, Any]:
    entry, charge, _ = await _lock_entry_and_charge(tx, entry_id, None, errors)
    return entry, charge


async def _lock_entry_and_charge(
    tx: MutationTransaction, entry_id: UUID, other_id: UUID | None, errors: list[UserError]
) -> tuple[Any, Any, Any]:
    """Returns an entry, its charge and another charge, read under the charges' locks."""
    charge_id = await tx.value(queries.entry_charge, id=entry_id)
    if charge_id is None:
        errors.append(UserError("id", "NOT_FOUND", "There is no such transaction."))
    ids = sorted({each for each in (charge_id, other_id) if each is not None})
    charges = {row["id"]: row for row in await tx.rows(queries.lock_charges, ids=ids)}
    if other_id is not None and other_id not in charges:
        errors.append(UserError("replacement.chargeId", "NOT_FOUND", "There is no such charge."))
        other_id = None
    if charge_id is None:
        return None, None, None
    # In a statement of its own, so that it sees what earlier holders of the locks committed.
    entry = await tx.row(queries.entry_facts, id=entry_id)
    return entry, charges[charge_id], charges[other_id] if other_id not in (None, charge_id) else None


def _allocation_errors(allocations: Sequence[Values], charges: Mapping[UUID, Any], currency: str) -> list[UserError]:
    errors = []
    if not allocations:
        errors.append(UserError("allocations", "REQUIRED", "At least one charge must be given."))
    times = Counter(each["charge_id"] for each in allocations)
    for n, each in enumerate(allocations):
        charge, amount, path = charges.get(each["charge_id"]), each.get("amount"), f"allocations.{n}."
        if times[each["charge_id"]] > 1:
            errors.append(UserError(f"{path}chargeId", "TWICE", "The charge is listed more than once."))
        if charge is None:
            errors.append(UserError(f"{path}chargeId", "NOT_FOUND", "There is no such charge."))
            continue
        if charge["currency"] != currency:
            errors.append(UserError(f"{path}chargeId", "WRONG_CURRENCY", f"The charge is in {charge['currency']}, not in {currency}."))
        elif amount is not None and not fits(amount, currency):
            errors.append(UserError(f"{path}amount", "INVALID", _INVALID_AMOUNT))
        elif charge["cancelled_at"] is None and amount is not None and amount > charge["balance"]:
            errors.append(
                UserError(f"{path}amount", "OVERPAID", f"Only {_format_amount(charge['balance'], currency)} is owed on this charge.")
            )
        errors += _cancelled(charge, f"{path}chargeId")
    return errors


def _allocate(amount: Decimal, allocations: Sequence[Values], charges: Mapping[UUID, Any], errors: list[UserError]) -> list[Values]:
    """Splits the payment among the charges. Adds errors about the sum, unless other errors already make it meaningless."""
    amounts = [amount, *(each["amount"] for each in allocations if each.get("amount") is not None)]
    if not all(each["charge_id"] in charges for each in allocations) or not all(each.is_finite() for each in amounts):
        return []
    found = [charges[each["charge_id"]] for each in allocations]
    shares = [Share(charge["balance"], each.get("amount"), charge["due_date"]) for each, charge in zip(allocations, found, strict=True)]
    parts, left = allocate(amount, shares)
    if left > 0 and any(share.given is None for share in shares):
        errors.append(UserError("amount", "OVERPAID", "The amount is more than is owed on these charges."))
    elif left != 0 and allocations:
        errors.append(UserError("amount", "ALLOCATION_MISMATCH", "The allocated amounts do not add up to the payment's amount."))
    return [{"payment_id": charge["id"], "amount": part} for charge, part in zip(found, parts, strict=True) if part > 0]


def _waiver_errors(amount: Decimal, charge: Any) -> list[UserError]:
    if charge["balance"] == 0:
        return [UserError("id", "NOTHING_OWED", "Nothing is owed on this charge.")]
    if not fits(amount, charge["currency"]):
        return [UserError("amount", "INVALID", _INVALID_AMOUNT)]
    if amount > charge["balance"]:
        return [
            UserError("amount", "WAIVER_TOO_LARGE", f"Only {_format_amount(charge['balance'], charge['currency'])} is owed on this charge.")
        ]
    return []


def _cancelled(charge: Any, field: str) -> list[UserError]:
    return [] if charge["cancelled_at"] is None else [UserError(field, "CANCELLED", "The charge is cancelled.")]


def _time_errors(given: Values, now: datetime | None, field: str = "occurredAt") -> list[UserError]:
    moment = given.get("occurred_at")
    if moment is None:
        return []
    return [UserError(field, "IN_FUTURE", f"`{field}` must not be in the future.")] if now is not None and moment > now else []


def _format_amount(amount: Decimal, currency: str) -> str:
    return f"{amount.normalize():f} {currency}"
