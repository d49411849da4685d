"""How a mutation runs: one transaction, who asks confirmed in it, rules answered as user errors, an idempotency key kept beside what it did.

    async def create_subject(write: Write, given: Values) -> Objects:
        return {"subject": await write.insert("subjects", given)}

An action runs inside the transaction. What it returns are ids (of objects that are read anew when it has committed) and plain values by
the payload's names. What it raises takes everything back.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from auth.access import Capability, may
from auth.reach import Reach, read_reach
from auth.statements import bound
from db.errors import DomainError, constraint_error
from db.queries import queries
from db.records import BrokenRulesError, InUseError, NotThereError, StaleError, delete, insert, to_json, update
from db.statements import Query
from db.violations import violations
from execution.errors import Refusal
from resolvers.context import Context
from resolvers.sign_in import authenticator_of
from resolvers.user_errors import UserError
from rules.decimals import canonical

__all__ = ["AGAIN", "ATTEMPTS", "Action", "Objects", "Outcome", "Rejected", "Values", "Write", "perform", "rejected"]

Values = dict[str, Any]
Objects = Mapping[str, Any]

ATTEMPTS = 4
AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_LONGEST_KEY = 255


class Rejected(Exception):  # noqa: N818 - an outcome that a user puts right, not a failure
    """Rules are broken; nothing is written. `objects` are what the payload shows beside the errors."""

    def __init__(self, *errors: UserError, **objects: Any) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = list(errors)
        self.objects = objects


def rejected(field: str | None, code: str, message: str, **objects: Any) -> Rejected:
    return Rejected(UserError(field, code, message), **objects)


class Write:
    """A mutation's transaction: `connection` is inside it, `context` is the request's."""

    def __init__(self, context: Context, connection: Any) -> None:
        self.context = context
        self.connection = connection
        self._reach: Reach | None = None

    @property
    def user_id(self) -> UUID:
        """Whoever writes. Only signed-in users do."""
        assert self.context.viewer.user_id is not None
        return self.context.viewer.user_id

    def may(self, capability: Capability) -> bool:
        return may(self.context.viewer, capability)

    async def reach(self) -> Reach:
        """The viewer's reach as this transaction sees it."""
        if self._reach is None:
            self._reach = await read_reach(self.connection, self.context.viewer)
        return self._reach

    async def rows(self, query: Query, **values: Any) -> list[Any]:
        """The rows of a named statement that takes no reach."""
        found: list[Any] = await self.connection.fetch(*bound(query, **values))
        return found

    async def row(self, query: Query, **values: Any) -> Any:
        return await self.connection.fetchrow(*bound(query, **values))

    async def visible_row(self, query: Query, **values: Any) -> Any:
        """The first row of a named statement that the viewer may see; None when there is none."""
        reach = await self.reach()
        statement = query.statement(reach.open)
        return await self.connection.fetchrow(statement.sql, *statement.arguments(values, reach))

    async def value(self, query: Query, **values: Any) -> Any:
        return await self.connection.fetchval(*bound(query, **values))

    async def insert(self, record: str, values: Mapping[str, Any]) -> UUID:
        """Inserts a row of a declared record. `client_id`, when given, becomes its id."""
        row = dict(values)
        client_id = row.pop("client_id", None)
        if client_id is not None:
            row["id"] = client_id
        try:
            return await insert(self.connection, queries.records[record], row)
        except BrokenRulesError as broken:
            taken = [each for each in broken.errors if each.field == "clientId"]
            raise Rejected(*(UserError(each.field, each.code, each.message) for each in (taken or broken.errors))) from None

    async def change(
        self, record: str, row_id: UUID, version: int | None, changes: Mapping[str, Any], *, shows: str | None = None, field: str = "id"
    ) -> UUID:
        """Changes a row of a declared record that is still of `version`. A stale one answers CONFLICT with the object as it is (`shows`)."""
        try:
            return await update(self.connection, queries.records[record], row_id, version, changes)
        except NotThereError:
            raise rejected(field, "NOT_FOUND", "There is none with this id.") from None
        except StaleError:
            raise stale(**({shows: row_id} if shows else {})) from None
        except BrokenRulesError as broken:
            raise Rejected(*(UserError(each.field, each.code, each.message) for each in broken.errors)) from None

    async def delete(self, record: str, row_id: UUID, *, field: str = "id") -> UUID:
        """Deletes a row of a declared record that nothing leads to. The audit log keeps what it was."""
        try:
            return await delete(self.connection, queries.records[record], row_id)
        except NotThereError:
            raise rejected(field, "NOT_FOUND", "There is none with this id.") from None
        except InUseError:
            raise rejected(field, "IN_USE", "Other records lead to it, so it stays.") from None

    async def same(self, record: str, row_id: UUID, values: Mapping[str, Any]) -> bool:
        """Whether there is a row of this id with just these values."""
        declared = queries.records[record]
        return bool(await self.connection.fetchval(declared.same_sql(declared.ordered(values)), to_json(values), row_id))

    async def broken_rules(self, record: str, values: Mapping[str, Any], *but: str) -> list[UserError]:
        """What a new row would break, without writing it; `but` are fields that are not looked at."""
        found = await violations(self.connection, queries.records[record].table, to_json(values), None)
        return [UserError(each.field, each.code, each.message) for each in found if each.field not in but]


def stale(**objects: Any) -> Rejected:
    """Someone else was faster: the payload shows the object as it is now."""
    return rejected(
        "version", "CONFLICT", "It has changed since you read it. Look at it as it is now, and say again what to change.", **objects
    )


Action = Callable[[Write, Values], Awaitable[Objects]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a mutation came to: objects by the payload's names, or errors (and what is shown beside them)."""

    objects: Objects
    errors: list[UserError]


async def perform(context: Context, name: str, action: Action, given: Values, *, key: str | None = None, settles: bool = False) -> Outcome:
    """Runs an action in a transaction of its own; once more when it met another in a deadlock.

    `key` is an idempotency key: the objects of the first call are kept beside it, and answered to every later call with equal arguments.
    `settles`: what it may revoke counts in every worker when this returns. Raises UNAUTHENTICATED and FORBIDDEN refusals.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            objects = await _once(context, name, action, dict(given), key)
            break
        except Rejected as broken:
            context.forget()
            return Outcome(broken.objects, broken.errors)
        except asyncpg.IntegrityConstraintViolationError as error:
            rule = constraint_error(error)
            if rule is None:
                raise
            return Outcome({}, [_user_error(rule)])
        except asyncpg.DataError:
            return Outcome({}, [UserError(None, "OUT_OF_RANGE", "A value is out of range, or cannot be stored.")])
        except AGAIN:
            if attempt == ATTEMPTS:
                raise
    context.forget()
    if settles:
        await authenticator_of(context).settle()
    return Outcome(objects, [])


async def _once(context: Context, name: str, action: Action, given: Values, key: str | None) -> Objects:
    if context.viewer.user_id is None:
        raise Refusal("UNAUTHENTICATED", "Sign in first: send an access token as `Authorization: Bearer …`.")
    async with context.database.transaction(user_id=context.viewer.user_id, request_id=context.request_id) as connection:
        await authenticator_of(context).confirm(connection, context.viewer)
        write = Write(context, connection)
        if key is None:
            return await action(write, given)
        saved = await _claim(write, name, key, given)
        if saved is not None:
            return saved
        objects = await action(write, given)
        await connection.execute(
            *bound(queries.keep_idempotent_answer, user_id=write.user_id, mutation=name, key=key, answer=to_json(objects))
        )
        return objects


async def _claim(write: Write, name: str, key: str, given: Values) -> Objects | None:
    """Takes an idempotency key, or answers what its first call did. A parallel call with the same key is waited for."""
    if not 1 <= len(key) <= _LONGEST_KEY or not key.isprintable():
        raise rejected("idempotencyKey", "INVALID", f"Must have 1 to {_LONGEST_KEY} printable characters.")
    arguments = hashlib.sha256(json.dumps(given, default=_compared, sort_keys=True).encode()).digest()
    values = {"user_id": write.user_id, "mutation": name, "key": key}
    if await write.value(queries.claim_idempotency_key, arguments_hash=arguments, **values):
        return None
    # The insert waited for whoever had the key: their transaction is over. A read in a statement of its own sees what it left.
    kept = await write.row(queries.idempotent_answer, **values)
    if kept is None:
        raise rejected("idempotencyKey", "CONFLICT", "Another call with this key has just failed. Try again.")
    if kept["arguments_hash"] != arguments:
        raise rejected(
            "idempotencyKey", "IDEMPOTENCY_KEY_REUSED", "This key was used with other arguments. Take a new key for a new request."
        )
    answer: Objects = kept["answer"]
    return answer


def _compared(value: Any) -> str:
    """A value of arguments as they are compared under one key: a number by its value, a moment by when it is, however they are written."""
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a value of an argument")


def _user_error(rule: DomainError) -> UserError:
    return UserError(rule.field, rule.code, rule.message)
