"""Actions that create, update or delete a single row of a declared record."""

from resolvers.identifiers import write_id
from resolvers.mutations import Action, MutationTransaction, PayloadValues, Values

__all__ = ["create_action", "delete_action", "update_action"]


def create_action(record: str, payload_field: str) -> Action:
    """Makes an action that inserts a row; the payload shows it in `payload_field`."""

    async def create(tx: MutationTransaction, given: Values) -> PayloadValues:
        return {payload_field: await tx.insert(record, given)}

    return create


def update_action(record: str, payload_field: str) -> Action:
    """Makes an action that updates a row if it still has the version that the client read."""

    async def update(tx: MutationTransaction, given: Values) -> PayloadValues:
        row_id, version = given.pop("id"), given.pop("version")
        return {payload_field: await tx.update(record, row_id, version, given, payload_field=payload_field)}

    return update


def delete_action(record: str, tag: str) -> Action:
    """Makes an action that deletes a row nothing refers to, and returns its global id."""

    async def delete(tx: MutationTransaction, given: Values) -> PayloadValues:
        return {"deleted_id": write_id(tag, await tx.delete(record, given["id"]))}

    return delete
