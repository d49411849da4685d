"""Teachers and guardians, and what students share with them: name and account in `users`, the role in a record of its own. For administrators."""

from typing import Any
from uuid import UUID

from db.naming import camel
from db.query_compiler import Query
from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Rejected, Values, rejected, version_conflict
from resolvers.user_errors import UserError

__all__ = [
    "PERSON",
    "create_guardian",
    "create_person",
    "create_teacher",
    "deactivate_guardian",
    "deactivate_teacher",
    "lock_for_update",
    "reactivate_guardian",
    "reactivate_teacher",
    "split_person",
    "update_guardian",
    "update_person",
    "update_teacher",
]

# The columns of a person that are in `users`.
PERSON = ("first_name", "last_name", "email", "phone", "address")


def split_person(given: Values) -> tuple[Values, Values]:
    """Splits an input into the values of `users` and those of the record."""
    return {name: given[name] for name in given if name in PERSON}, {name: given[name] for name in given if name not in PERSON}


async def lock_for_update(tx: MutationTransaction, lock: Query, row_id: UUID, version: int | None, payload_field: str) -> Any:
    """Locks the row to be changed and returns it. Raises Rejected: NOT_FOUND, or CONFLICT if its version has changed."""
    row = await tx.row(lock, id=row_id)
    if row is None:
        raise rejected("id", "NOT_FOUND", f"There is no such {payload_field}.")
    if version is not None and row["version"] != version:
        raise version_conflict(**{payload_field: row_id})
    return row


async def create_person(tx: MutationTransaction, record: str, role: str, given: Values, *, defaults: Values | None = None) -> UUID:
    """Creates a record for a new person with an account of this role, or for an existing user (`user_id`). Returns the record's id.

    A `client_id` that was already sent with the same values returns the existing id. `defaults` apply to values that are not given.
    """
    person, values = split_person(given)
    own = values.get("client_id")
    if own is not None and await _already_created(tx, record, person, values):
        return UUID(str(own))
    values = {**(defaults or {}), **values}
    if values.get("user_id") is not None:
        if person:
            raise Rejected(
                *(
                    UserError(
                        camel(name), "NOT_ALLOWED", f"`{camel(name)}` of an existing user cannot be set here. Change it with `updateUser`."
                    )
                    for name in person
                )
            )
        return await tx.insert(record, values)
    try:
        user_id = await tx.insert("users", {**person, "role": role})
    except Rejected as broken:
        row = {name: value for name, value in values.items() if name != "client_id"}
        raise Rejected(*broken.errors, *await tx.broken_rules(record, row, "userId", "sortKey")) from None
    return await tx.insert(record, {**values, "user_id": user_id})


async def _already_created(tx: MutationTransaction, record: str, person: Values, values: Values) -> bool:
    row = {name: value for name, value in values.items() if name != "client_id" and value is not None}
    own = UUID(str(values["client_id"]))
    if not await tx.exists_with(record, own, row):
        return False
    if not person:
        return True
    user_id = await tx.connection.fetchval(queries.records[record].column_sql("user_id"), own)
    return await tx.exists_with("users", user_id, {name: value for name, value in person.items() if value is not None})


async def update_person(tx: MutationTransaction, lock: Query, record: str, given: Values, payload_field: str) -> UUID:
    """Updates a person's name, contact details and record from the version that the client read; both count as one change."""
    person, values = split_person(given)
    row_id: UUID = values.pop("id")
    version = values.pop("version")
    row = await lock_for_update(tx, lock, row_id, version, payload_field)
    errors: list[UserError] = []
    for table, changed_id, changes in (("users", row["user_id"], person), (record, row_id, {**values, "user_id": row["user_id"]})):
        try:
            await tx.update(table, changed_id, None, changes)
        except Rejected as broken:
            errors += broken.errors
    if errors:
        raise Rejected(*errors)
    return row_id


async def create_teacher(tx: MutationTransaction, given: Values) -> PayloadValues:
    return {"teacher": await create_person(tx, "teachers", "TEACHER", given)}


async def update_teacher(tx: MutationTransaction, given: Values) -> PayloadValues:
    return {"teacher": await update_person(tx, queries.lock_teacher, "teachers", given, "teacher")}


async def deactivate_teacher(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deactivates a teacher who leaves. Current classes and lessons must be assigned to somebody else first."""
    row = await lock_for_update(tx, queries.lock_teacher, given["id"], given["version"], "teacher")
    left = await tx.row(queries.work_left, id=row["id"])
    if left["classes"] or left["lessons"]:
        raise rejected(
            "id",
            "IN_USE",
            f"The teacher still has {left['classes']} classes and {left['lessons']} lessons. Assign them to somebody else first.",
        )
    return {"teacher": await _set_active(tx, "teachers", "TEACHER", row, is_active=False)}


async def reactivate_teacher(tx: MutationTransaction, given: Values) -> PayloadValues:
    row = await lock_for_update(tx, queries.lock_teacher, given["id"], given["version"], "teacher")
    return {"teacher": await _set_active(tx, "teachers", "TEACHER", row, is_active=True)}


async def create_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    return {"guardian": await create_person(tx, "guardians", "GUARDIAN", given)}


async def update_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    return {"guardian": await update_person(tx, queries.lock_guardian, "guardians", given, "guardian")}


async def deactivate_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deactivates a guardian: the links stay as history, and the account can no longer sign in."""
    row = await lock_for_update(tx, queries.lock_guardian, given["id"], given["version"], "guardian")
    return {"guardian": await _set_active(tx, "guardians", "GUARDIAN", row, is_active=False)}


async def reactivate_guardian(tx: MutationTransaction, given: Values) -> PayloadValues:
    row = await lock_for_update(tx, queries.lock_guardian, given["id"], given["version"], "guardian")
    return {"guardian": await _set_active(tx, "guardians", "GUARDIAN", row, is_active=True)}


async def _set_active(tx: MutationTransaction, record: str, role: str, row: Any, *, is_active: bool) -> UUID:
    await tx.rows(queries.set_user_active, user_id=row["user_id"], role=role, is_active=is_active)
    return await tx.update(record, row["id"], None, {"is_active": is_active})
