"""Runs mutations: one transaction each, with the session confirmed in it, broken rules reported as user errors, and idempotency keys stored.

    async def create_subject(tx: MutationTransaction, given: Values) -> PayloadValues:
        return {"subject": await tx.insert("subjects", given)}

An action runs inside the transaction. It returns ids (of objects to be read again after the commit) and plain values, by the names of the
payload's fields. Any exception rolls everything back.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from auth.capabilities import Capability, has_capability
from auth.visible_ids import Reach, read_reach
from db.constraint_check import constraint_violations
from db.errors import DomainError, constraint_error
from db.query_compiler import Query
from db.row_writes import BrokenRulesError, InUseError, NotThereError, StaleError, to_json
from db.row_writes import delete as delete_row
from db.row_writes import insert as insert_row
from db.row_writes import update as update_row
from db.sql_catalog import queries
from execution.errors import Refusal
from resolvers.context import Context
from resolvers.idempotency_keys import IdempotencyKey, KeyRefusedError, claim_key
from resolvers.sign_in import authenticator_of
from resolvers.user_errors import UserError

__all__ = [
    "MAX_ATTEMPTS",
    "RETRYABLE_ERRORS",
    "Action",
    "MutationTransaction",
    "Outcome",
    "PayloadValues",
    "Rejected",
    "Values",
    "rejected",
    "run_mutation",
]

Values = dict[str, Any]
PayloadValues = Mapping[str, Any]

MAX_ATTEMPTS = 4
RETRYABLE_ERRORS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Rejected(Exception):  # noqa: N818 - an outcome that a user puts right, not a failure
    """Rules are broken and nothing is written. `objects` are shown in the payload beside the errors."""

    def __init__(self, *errors: UserError, **objects: Any) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = list(errors)
        self.objects = objects


def rejected(field: str | None, code: str, message: str, **objects: Any) -> Rejected:
    return Rejected(UserError(field, code, message), **objects)


class MutationTransaction:
    """The transaction of a mutation: `connection` runs in it, `context` is the request's."""

    def __init__(self, context: Context, connection: Any) -> None:
        self.context = context
        self.connection = connection
        self._reach: Reach | None = None

    @property
    def user_id(self) -> UUID:
        """The id of the signed-in user who runs the mutation."""
        assert self.context.viewer.user_id is not None
        return self.context.viewer.user_id

    def has_capability(self, capability: Capability) -> bool:
        return has_capability(self.context.viewer, capability)

    async def reach(self) -> Reach:
        """Returns the viewer's reach as this transaction sees it."""
        if self._reach is None:
            self._reach = await read_reach(self.connection, self.context.viewer)
        return self._reach

    async def rows(self, query: Query, **values: Any) -> list[Any]:
        """Returns the rows of a named statement that does not depend on the viewer's reach."""
        found: list[Any] = await self.connection.fetch(*query.bind(**values))
        return found

    async def row(self, query: Query, **values: Any) -> Any:
        return await self.connection.fetchrow(*query.bind(**values))

    async def visible_row(self, query: Query, **values: Any) -> Any:
        """Returns the first row of a named statement that the viewer may see, or None."""
        reach = await self.reach()
        statement = query.statement(reach.open)
        return await self.connection.fetchrow(statement.sql, *statement.arguments(values, reach))

    async def value(self, query: Query, **values: Any) -> Any:
        return await self.connection.fetchval(*query.bind(**values))

    async def insert(self, record: str, values: Mapping[str, Any]) -> UUID:
        """Inserts a row of a declared record and returns its id, which is `client_id` if that is given. Raises Rejected."""
        row = dict(values)
        client_id = row.pop("client_id", None)
        if client_id is not None:
            row["id"] = client_id
        try:
            return await insert_row(self.connection, queries.records[record], row)
        except BrokenRulesError as broken:
            taken = [each for each in broken.errors if each.field == "clientId"]
            raise Rejected(*(UserError(each.field, each.code, each.message) for each in (taken or broken.errors))) from None

    async def update(
        self,
        record: str,
        row_id: UUID,
        version: int | None,
        changes: Mapping[str, Any],
        *,
        payload_field: str | None = None,
        field: str = "id",
    ) -> UUID:
        """Updates a row of a declared record if it still has `version` (None: any version).

        Raises Rejected: NOT_FOUND, broken rules, or CONFLICT with the current object in the payload's field `payload_field`.
        """
        try:
            return await update_row(self.connection, queries.records[record], row_id, version, changes)
        except NotThereError:
            raise rejected(field, "NOT_FOUND", "There is no record with this id.") from None
        except StaleError:
            raise version_conflict(**({payload_field: row_id} if payload_field else {})) from None
        except BrokenRulesError as broken:
            raise Rejected(*(UserError(each.field, each.code, each.message) for each in broken.errors)) from None

    async def delete(self, record: str, row_id: UUID, *, field: str = "id") -> UUID:
        """Deletes a row of a declared record; the audit log keeps it. Raises Rejected: NOT_FOUND, or IN_USE while other rows refer to it."""
        try:
            return await delete_row(self.connection, queries.records[record], row_id)
        except NotThereError:
            raise rejected(field, "NOT_FOUND", "There is no record with this id.") from None
        except InUseError:
            raise rejected(field, "IN_USE", "Other records refer to it, so it cannot be deleted.") from None

    async def exists_with(self, record: str, row_id: UUID, values: Mapping[str, Any]) -> bool:
        """Tells whether a row with this id and exactly these values exists."""
        declared = queries.records[record]
        return bool(await self.connection.fetchval(declared.is_unchanged_sql(declared.ordered(values)), to_json(values), row_id))

    async def broken_rules(self, record: str, values: Mapping[str, Any], *except_fields: str) -> list[UserError]:
        """Returns the rules that a new row would break, without writing it; fields in `except_fields` are not checked."""
        found = await constraint_violations(self.connection, queries.records[record].table, to_json(values), None)
        return [UserError(each.field, each.code, each.message) for each in found if each.field not in except_fields]


def version_conflict(**objects: Any) -> Rejected:
    """Returns the CONFLICT rejection: somebody else changed the object first, and the payload shows its current state."""
    return rejected(
        "version",
        "CONFLICT",
        "The record was changed after you read it. Review its current state and send your change again with the new version.",
        **objects,
    )


Action = Callable[[MutationTransaction, Values], Awaitable[PayloadValues]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a mutation: values by the payload's field names, or errors (and the objects shown beside them)."""

    objects: PayloadValues
    errors: list[UserError]


async def run_mutation(
    context: Context, action: Action, given: Values, *, key: IdempotencyKey | None = None, revokes_access: bool = False
) -> Outcome:
    """Runs an action in a transaction of its own, retried after deadlocks and serialization failures.

    `key` is an idempotency key: the values of the first call are stored with it and returned to every later call with equal arguments.
    With `revokes_access`, sessions that the action revoked are refused by every worker when this returns.
    Raises UNAUTHENTICATED and FORBIDDEN refusals.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            objects = await _attempt(context, action, dict(given), key)
            break
        except Rejected as broken:
            context.invalidate()
            return Outcome(broken.objects, broken.errors)
        except asyncpg.IntegrityConstraintViolationError as error:
            rule = constraint_error(error)
            if rule is None:
                raise
            return Outcome({}, [_user_error(rule)])
        except asyncpg.DataError:
            return Outcome({}, [UserError(None, "OUT_OF_RANGE", "A value is out of range or cannot be stored.")])
        except RETRYABLE_ERRORS:
            if attempt == MAX_ATTEMPTS:
                raise
    context.invalidate()
    if revokes_access:
        await authenticator_of(context).wait_until_propagated()
    return Outcome(objects, [])


async def _attempt(context: Context, action: Action, given: Values, key: IdempotencyKey | None) -> PayloadValues:
    if context.viewer.user_id is None:
        raise Refusal("UNAUTHENTICATED", "Sign in first: send an access token as `Authorization: Bearer …`.")
    async with context.database.transaction(user_id=context.viewer.user_id, request_id=context.request_id) as connection:
        await authenticator_of(context).recheck(connection, context.viewer)
        tx = MutationTransaction(context, connection)
        if key is None:
            return await action(tx, given)
        try:
            claim = await claim_key(connection, tx.user_id, key, given)
        except KeyRefusedError as refused:
            raise Rejected(refused.error) from None
        if claim.answer is not None:
            return claim.answer
        objects = await action(tx, given)
        await claim.store_answer(objects)
        return objects


def _user_error(rule: DomainError) -> UserError:
    return UserError(rule.field, rule.code, rule.message)
