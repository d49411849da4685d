"""Accounts, written: by administrators, and one's own contact by oneself."""

from db.sql_catalog import queries
from resolvers.mutations import Objects, Values, Write, rejected
from resolvers.writing.people import PERSON, locked

__all__ = ["create_user", "deactivate_user", "reactivate_user", "update_own_contact", "update_user"]


async def create_user(write: Write, given: Values) -> Objects:
    """An account without a password: `issuePasswordReset` gives its owner the way to one."""
    return {"user": await write.insert("users", given)}


async def update_user(write: Write, given: Values) -> Objects:
    """Changes an account. The last administrator stays one; a changed role counts from the next request."""
    user_id, version = given.pop("id"), given.pop("version")
    row = await locked(write, queries.lock_user, user_id, version, "user")
    if given.get("role", row["role"]) != row["role"]:
        await _not_the_last(write, row, "role")
    await write.change("users", user_id, version, given, shows="user")
    if any(name in PERSON for name in given):
        await write.rows(queries.touch_people_of_user, user_id=user_id)
    return {"user": user_id}


async def deactivate_user(write: Write, given: Values) -> Objects:
    """An account that signs in no more: its sessions end."""
    row = await locked(write, queries.lock_user, given["id"], given["version"], "user")
    if row["id"] == write.user_id:
        raise rejected("id", "NOT_ALLOWED", "You cannot deactivate your own account.")
    await _not_the_last(write, row, "id")
    return {"user": await write.change("users", row["id"], None, {"is_active": False})}


async def reactivate_user(write: Write, given: Values) -> Objects:
    row = await locked(write, queries.lock_user, given["id"], given["version"], "user")
    return {"user": await write.change("users", row["id"], None, {"is_active": True})}


async def update_own_contact(write: Write, given: Values) -> Objects:
    """One's own contact. Everybody may."""
    await write.change("users", write.user_id, None, given)
    await write.rows(queries.touch_people_of_user, user_id=write.user_id)
    return {"user": write.user_id}


async def _not_the_last(write: Write, row: object, field: str) -> None:
    if row["role"] == "ADMIN" and row["is_active"] and not await write.value(queries.other_administrators, id=row["id"]):  # type: ignore[index]  # a row
        raise rejected(field, "LAST_ADMINISTRATOR", "This is the last active administrator. Make somebody else an administrator first.")
