"""Actions on single rows of a declared record: made, changed."""

from resolvers.identifiers import write_id
from resolvers.mutations import Action, MutationTransaction, PayloadValues, Values

__all__ = ["create_action", "delete_action", "update_action"]


def create_action(record: str, payload_field: str) -> Action:
    """An action that inserts a row of a declared record and shows it as `payload_field`."""

    async def create(tx: MutationTransaction, given: Values) -> PayloadValues:
        return {payload_field: await tx.insert(record, given)}

    return create


def update_action(record: str, payload_field: str) -> Action:
    """An action that changes a row of a declared record from the version that its writer saw."""

    async def update(tx: MutationTransaction, given: Values) -> PayloadValues:
        row_id, version = given.pop("id"), given.pop("version")
        return {payload_field: await tx.update(record, row_id, version, given, payload_field=payload_field)}

    return update


def delete_action(record: str, tag: str) -> Action:
    """An action that delete_action a row that nothing leads to, and tells its global id."""

    async def delete(tx: MutationTransaction, given: Values) -> PayloadValues:
        return {"deleted_id": write_id(tag, await tx.delete(record, given["id"]))}

    return delete
