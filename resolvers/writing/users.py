"""Accounts, managed by administrators, and one's own contact details."""

from db.sql_catalog import queries
from resolvers.mutations import MutationTransaction, PayloadValues, Values, rejected
from resolvers.writing.people import PERSON, lock_for_update

__all__ = ["create_user", "deactivate_user", "reactivate_user", "update_own_contact", "update_user"]


async def create_user(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Creates an account without a password; `issuePasswordReset` lets its owner set one."""
    return {"user": await tx.insert("users", given)}


async def update_user(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Updates an account. The last administrator keeps that role; a changed role applies from the next request."""
    user_id, version = given.pop("id"), given.pop("version")
    row = await lock_for_update(tx, queries.lock_user, user_id, version, "user")
    if given.get("role", row["role"]) != row["role"]:
        await _require_other_administrator(tx, row, "role")
    await tx.update("users", user_id, version, given, payload_field="user")
    if any(name in PERSON for name in given):
        await tx.rows(queries.touch_people_of_user, user_id=user_id)
    return {"user": user_id}


async def deactivate_user(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Deactivates an account and ends its sessions."""
    row = await lock_for_update(tx, queries.lock_user, given["id"], given["version"], "user")
    if row["id"] == tx.user_id:
        raise rejected("id", "NOT_ALLOWED", "You cannot deactivate your own account.")
    await _require_other_administrator(tx, row, "id")
    return {"user": await tx.update("users", row["id"], None, {"is_active": False})}


async def reactivate_user(tx: MutationTransaction, given: Values) -> PayloadValues:
    row = await lock_for_update(tx, queries.lock_user, given["id"], given["version"], "user")
    return {"user": await tx.update("users", row["id"], None, {"is_active": True})}


async def update_own_contact(tx: MutationTransaction, given: Values) -> PayloadValues:
    """Updates the user's own contact details; open to everyone."""
    await tx.update("users", tx.user_id, None, given)
    await tx.rows(queries.touch_people_of_user, user_id=tx.user_id)
    return {"user": tx.user_id}


async def _require_other_administrator(tx: MutationTransaction, row: object, field: str) -> None:
    if row["role"] == "ADMIN" and row["is_active"] and not await tx.value(queries.other_administrators, id=row["id"]):  # type: ignore[index]  # a row
        raise rejected(field, "LAST_ADMINISTRATOR", "This is the last active administrator. Make somebody else an administrator first.")
