"""Actions on single rows of a declared record: made, changed."""

from resolvers.identifiers import write_id
from resolvers.mutations import Action, Objects, Values, Write

__all__ = ["creates", "deletes", "updates"]


def creates(record: str, shows: str) -> Action:
    """An action that inserts a row of a declared record and shows it as `shows`."""

    async def create(write: Write, given: Values) -> Objects:
        return {shows: await write.insert(record, given)}

    return create


def updates(record: str, shows: str) -> Action:
    """An action that changes a row of a declared record from the version that its writer saw."""

    async def update(write: Write, given: Values) -> Objects:
        row_id, version = given.pop("id"), given.pop("version")
        return {shows: await write.change(record, row_id, version, given, shows=shows)}

    return update


def deletes(record: str, tag: str) -> Action:
    """An action that deletes a row that nothing leads to, and tells its global id."""

    async def delete(write: Write, given: Values) -> Objects:
        return {"deleted_id": write_id(tag, await write.delete(record, given["id"]))}

    return delete
