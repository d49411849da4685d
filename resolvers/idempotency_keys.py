"""Idempotency keys: a request that is sent twice is carried out once, and both get the same answer.

A key is stored per user and scope for 30 days, in the transaction of the mutation. The scope is the mutation's name, written out where the
mutation is declared. It must never change, or a retry across the change would be carried out again.

Arguments and answers are stored under the names that they had first, so that renaming a field of an input or a payload forgets no key either.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.row_writes import to_json
from db.sql_catalog import queries
from resolvers.user_errors import UserError
from rules.decimals import canonical

__all__ = ["Claim", "IdempotencyKey", "KeyRefusedError", "claim_key"]

_MAX_LENGTH = 255
# Until v0.1 the scope was the input type's name without "Input". For 30 days after an upgrade a retry may find its key there, and a worker of the
# version before may look there, so both are claimed and written. Remove this with the first release that comes 30 days after v0.1.
_INPUT_NAMED_SCOPES = frozenset(
    {
        "applyPromotion",
        "cancelCharge",
        "correctAttendance",
        "correctPayment",
        "createCharges",
        "dismissGatewayEvent",
        "postFinalGrades",
        "recordGrades",
        "recordPayment",
        "refundPayment",
        "retryGatewayEvent",
        "submitRegister",
        "updateCharge",
        "waiveCharge",
    }
)
# The first names of an input's fields, by scope, and those of the payloads' fields. Add a line for each field that is renamed.
FIRST_ARGUMENT_NAMES: Mapping[str, Mapping[str, str]] = {
    "cancelCharge": {"id": "payment_id"},
    "correctPayment": {"id": "transaction_id", "charge_id": "payment_id"},
    "recordPayment": {"charge_id": "payment_id"},
    "refundPayment": {"id": "transaction_id"},
    "waiveCharge": {"id": "payment_id"},
}
_FIRST_ANSWER_NAMES = {
    "charge": "payment",
    "charges": "payments",
    "charge_count": "charged",
    "promoted_count": "promoted",
    "repeated_count": "repeated",
    "graduated_count": "graduated",
    "left_count": "left",
}
_ANSWER_NAMES = {first: name for name, first in _FIRST_ANSWER_NAMES.items()}


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key, and the scope in which it is unique for its user."""

    scope: str
    key: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """All scopes that count, always in this order, so that two calls never deadlock."""
        if self.scope in _INPUT_NAMED_SCOPES:
            return self.scope[0].upper() + self.scope[1:], self.scope
        return (self.scope,)


class KeyRefusedError(Exception):
    """The key cannot be used with these arguments; `error` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = UserError("idempotencyKey", code, message)


@dataclass(slots=True)
class Claim:
    """A key held by this transaction: `answer` is the stored answer of its first call, or None if this is the first call."""

    connection: Any
    user_id: UUID
    key: IdempotencyKey
    answer: Mapping[str, Any] | None = None

    async def store_answer(self, objects: Mapping[str, Any]) -> None:
        """Stores the answer of this call for later calls with the same key."""
        answer = to_json({_FIRST_ANSWER_NAMES.get(name, name): value for name, value in objects.items()})
        for scope in self.key.scopes:
            await self.connection.execute(
                *queries.keep_idempotent_answer.bind(user_id=self.user_id, mutation=scope, key=self.key.key, answer=answer)
            )


async def claim_key(connection: Any, user_id: UUID, key: IdempotencyKey, arguments: Mapping[str, Any]) -> Claim:
    """Claims a key inside a mutation's transaction, waiting for a parallel call with the same key.

    Raises KeyRefusedError for a key that is empty, too long or not printable (INVALID), that was used with different arguments
    (IDEMPOTENCY_KEY_REUSED), or whose first call failed while this one waited for it (CONFLICT).
    """
    if not 1 <= len(key.key) <= _MAX_LENGTH or not key.key.isprintable():
        raise KeyRefusedError("INVALID", f"The idempotency key must have 1 to {_MAX_LENGTH} printable characters.")
    named = _rename_keys(arguments, FIRST_ARGUMENT_NAMES.get(key.scope, {}))
    arguments_hash = hashlib.sha256(json.dumps(named, default=_canonical_text, sort_keys=True).encode()).digest()
    claim = Claim(connection, user_id, key)
    for scope in key.scopes:
        values = {"user_id": user_id, "mutation": scope, "key": key.key}
        if await connection.fetchval(*queries.claim_idempotency_key.bind(arguments_hash=arguments_hash, **values)):
            continue
        # The insert waited for the transaction that held the key. Only a new statement sees what that transaction committed.
        kept = await connection.fetchrow(*queries.idempotent_answer.bind(**values))
        if kept is None:
            raise KeyRefusedError("CONFLICT", "Another request with this idempotency key failed at the same time. Send the request again.")
        if kept["arguments_hash"] != arguments_hash:
            raise KeyRefusedError(
                "IDEMPOTENCY_KEY_REUSED", "This idempotency key was already used with different arguments. Use a new key for a new request."
            )
        if kept["answer"] is not None:
            claim.answer = {_ANSWER_NAMES.get(name, name): value for name, value in kept["answer"].items()}
    if claim.answer is not None:
        # One of the scopes may have been claimed just now: store the answer there, too.
        await claim.store_answer(claim.answer)
    return claim


def _rename_keys(values: Any, names: Mapping[str, str]) -> Any:
    """Returns the same values with the keys of all mappings in them renamed; keys that `names` does not have stay."""
    if isinstance(values, list):
        return [_rename_keys(each, names) for each in values]
    if isinstance(values, Mapping):
        return {names.get(name, name): _rename_keys(value, names) for name, value in values.items()}
    return values


def _canonical_text(value: Any) -> str:
    """Returns an argument's canonical text: equal numbers and equal moments compare equal, however they are spelled."""
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a value of an argument")
