"""Events of payment gateways: each event and each payment is booked once; what cannot be booked is kept for a person to review."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from auth.viewer import ANONYMOUS
from db.errors import constraint_error
from db.pool import Database
from db.row_writes import to_json
from db.sql_catalog import queries
from resolvers.context import Context
from resolvers.mutations import MAX_ATTEMPTS, RETRYABLE_ERRORS, MutationTransaction, PayloadValues, Rejected, Values, rejected
from resolvers.writing.charges import reason_errors
from resolvers.writing.payments import book_payment
from rules.gateway_events import GatewayEvent, allocate_refund

__all__ = ["dismiss_gateway_event", "receive_event", "retry_gateway_event"]

_log = structlog.get_logger("rollcall.gateways")
_BOOKED_KEYS = frozenset({"gateway_events_booked_key", "payment_transactions_gateway_key"})
_METHOD = "ONLINE"


async def receive_event(database: Database, request_id: str, event: GatewayEvent) -> str | None:
    """Books an event on its first delivery and returns its state: BOOKED, REPEATED or FAILED; None for an event that was received before.

    A payment also books refunds of it that arrived earlier. The audit log has the request but no user. Raises database errors.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            async with database.transaction(request_id=request_id) as connection:
                tx = MutationTransaction(Context(database, ANONYMOUS, request_id), connection)
                values = {name: getattr(event, name) for name in ("gateway", "event_id", "event_type", "gateway_id", "payment")}
                event_id = await tx.value(queries.take_gateway_event, **values, facts=to_json(event.to_facts()))
                return None if event_id is None else await _process_with_refunds(tx, event_id, event, None)
        except RETRYABLE_ERRORS:
            if attempt == MAX_ATTEMPTS:
                raise
    raise AssertionError  # the loop returns or raises


async def retry_gateway_event(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Tries again to book a failed event, for instance after its charge has been created."""
    await tx.rows(queries.hold_gateway_payment, id=given["id"])
    row = await _failed(tx, given["id"])
    await _process_with_refunds(tx, row["id"], GatewayEvent.from_facts(row["facts"]), tx.user_id)
    return {"gateway_event": row["id"]}


async def dismiss_gateway_event(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Dismisses a failed event: it was entered by hand, or does not concern the school."""
    errors = reason_errors(given)
    if errors:
        raise Rejected(*errors)
    row = await _failed(tx, given["id"])
    await tx.rows(queries.settle_gateway_event, id=row["id"], state="DISMISSED", problem=given["reason"])
    return {"gateway_event": row["id"]}


async def _failed(tx: MutationTransaction, event_id: UUID) -> Any:
    row = await tx.row(queries.lock_gateway_event, id=event_id)
    if row is None:
        raise rejected("id", "NOT_FOUND", "There is no such event.")
    if row["state"] != "FAILED":
        raise rejected("id", "SETTLED", "Only a failed event can be retried or dismissed.", gateway_event=row["id"])
    return row


async def _process_with_refunds(tx: MutationTransaction, event_id: UUID, event: GatewayEvent, user_id: UUID | None) -> str:
    """Books an event, and after a payment also its refunds that arrived too early. Returns the event's state."""
    state = await _process(tx, event_id, event, user_id)
    if event.kind == "PAYMENT" and state == "BOOKED":
        for row in await tx.rows(queries.failed_refunds, gateway=event.gateway, payment=event.payment):
            await _process(tx, row["id"], GatewayEvent.from_facts(row["facts"]), user_id)
    return state


async def _process(tx: MutationTransaction, event_id: UUID, event: GatewayEvent, user_id: UUID | None) -> str:
    """Books an event, or stores why it cannot be booked. Returns BOOKED, REPEATED or FAILED."""
    booking: Callable[[MutationTransaction, GatewayEvent, UUID | None], Awaitable[None]] = _payment if event.kind == "PAYMENT" else _refund
    state, problem = "BOOKED", None
    try:
        async with tx.connection.transaction():
            # First, so that the second of two events about one payment waits here.
            await tx.rows(queries.settle_gateway_event, id=event_id, state="BOOKED", problem=None)
            await booking(tx, event, user_id)
    except Rejected as broken:
        state, problem = "FAILED", "; ".join(f"{each.code}: {each.message}" for each in broken.errors)
    except asyncpg.IntegrityConstraintViolationError as error:
        rule = constraint_error(error)
        if error.constraint_name in _BOOKED_KEYS:
            state = "REPEATED"
        elif rule is None:
            raise
        else:
            state, problem = "FAILED", f"{rule.code}: {rule.message}"
    if state != "BOOKED":
        await tx.rows(queries.settle_gateway_event, id=event_id, state=state, problem=problem)
    log = _log.warning if state == "FAILED" else _log.info
    log(
        "gateway event received",
        gateway=event.gateway,
        event_id=event.event_id,
        event_type=event.event_type,
        state=state,
        problem=problem,
    )
    return state


async def _payment(tx: MutationTransaction, event: GatewayEvent, user_id: UUID | None) -> None:
    if event.problem is not None:
        raise rejected(None, "NOT_READABLE", event.problem)
    given = {
        "allocations": [{"charge_id": each.charge_id, "amount": each.amount} for each in event.parts],
        "amount": event.amount,
        "currency": event.currency,
        "method": _METHOD,
        "occurred_at": event.occurred_at,
    }
    await book_payment(tx, given, user_id=user_id, gateway=event.gateway, gateway_id=event.gateway_id)


async def _refund(tx: MutationTransaction, event: GatewayEvent, user_id: UUID | None) -> None:
    """Books the part of the refunded total that is not booked yet: events may arrive late, or never."""
    values = {"gateway": event.gateway, "gateway_id": event.payment}
    charges = sorted(row["id"] for row in await tx.rows(queries.gateway_charges, **values))
    await tx.rows(queries.lock_charges, ids=charges)
    entries = await tx.rows(queries.gateway_payment, **values)
    if not entries:
        raise rejected(None, "NOT_FOUND", "The refunded payment has not been recorded.")
    if entries[0]["currency"] != event.currency:
        raise rejected(None, "WRONG_CURRENCY", f"The payment was in {entries[0]['currency']}, not in {event.currency}.")
    more = event.amount - sum(each["reported"] for each in entries)
    if more <= 0:
        return
    parts, left = allocate_refund(more, [each["remaining"] for each in entries])
    if left > 0:
        raise rejected(
            None, "REFUND_TOO_LARGE", f"The refund exceeds what is left of the payment by {left.normalize():f} {event.currency}."
        )
    for entry, part in zip(entries, parts, strict=True):
        if part > 0:
            await tx.rows(
                queries.book_entry, payment_id=entry["payment_id"], receipt_id=None, linked_id=entry["id"], user_id=user_id, kind="REFUND",
                corrected_kind=None, amount=part, currency=event.currency, method=_METHOD, reason="Refunded through the gateway",
                gateway=event.gateway, gateway_id=event.gateway_id, occurred_at=event.occurred_at,
            )  # fmt: skip
