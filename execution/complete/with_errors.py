"""The answer of batches in which something failed, with every error in its place: the specification's completion of values, one by one.

Nothing is resolved again, but for what is read from objects anyway. A null goes up to the nearest place that may be null; an error's path and
locations are what graphql-core gives it, and errors come in the order of the answer.
"""

import asyncio
from typing import Any

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, located_error
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from execution.complete.leaf_values import complete_leaf
from execution.field_error import Failure
from execution.plan.selections import Field
from execution.raw_json import Written
from execution.run.executor import inline_value
from execution.run.resolve_info import shapes
from execution.run.scopes import Batch
from execution.run.values import await_all, awaitables, regular
from execution.time_slices import pause

__all__ = ["Placing"]

# Of more objects than this the answer is put together in a thread.
_AT_ONCE = 500


class Placing:
    """Completes the answers of one operation; `errors` are those that were met."""

    def __init__(self) -> None:
        self._collected = CollectedErrors()
        self._shapes: dict[tuple[int, Field], list[Any]] = {}

    @property
    def errors(self) -> list[GraphQLError]:
        return self._collected.errors

    def leave_out(self, field: Field, error: Exception) -> None:
        """Notes the error of a root field that has run and whose answer is left out. Errors of other root fields stay beside it."""
        self._collected.add(located_error(error, field.nodes, [field.key]), Path(None, field.key, field.parent_type.name))

    async def complete(self, root: Batch) -> dict[str, Any] | None:
        """The root's answer; None when an error went all the way up."""
        objects = await self._read(root)
        # Beside the event loop: it is plain Python over every value, and waits for nothing.
        return await asyncio.to_thread(self._completed, root) if objects > _AT_ONCE else self._completed(root)

    def _completed(self, root: Batch) -> dict[str, Any] | None:
        try:
            return self._answer(root, 0, None)
        except GraphQLError as error:
            self._collected.add(error, None)
            return None

    async def _read(self, root: Batch) -> int:
        """Reads what would have been read while composing. The number of objects that there are."""
        waiting = [root]
        objects = 0
        while waiting:
            batch = waiting.pop()
            objects += len(batch.parents)
            if len(batch.parents) > _AT_ONCE:
                await pause()
            for field in batch.selection.fields:
                if field.inline:
                    values = batch.values[field] = [inline_value(field, each) for each in batch.parents]
                    places = awaitables(values)
                    if places:
                        await await_all(places)
                    await regular(values, field.lists, field.where)
                elif field in batch.children:
                    waiting += batch.children[field].batches
        return objects

    def _answer(self, batch: Batch, place: int, path: Path | None) -> dict[str, Any]:
        """An object's answer. Raises GraphQLError when a field that must not be null is."""
        return {each.key: self._field(batch, place, each, Path(path, each.key, each.parent_type.name)) for each in batch.selection.fields}

    def _field(self, batch: Batch, place: int, field: Field, path: Path) -> Any:
        try:
            if field.is_leaf:
                value = batch.values[field][place]
            else:
                key = (id(batch), field)
                if key not in self._shapes:
                    self._shapes[key] = shapes(batch, field)
                value = self._shapes[key][place]
            return self._value(field.type, field, batch, value, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return self._failed(error, field.type, field, path)

    def _value(self, kind: Any, field: Field, batch: Batch, value: Any, path: Path) -> Any:
        if type(value) is Failure:
            raise value.error
        if isinstance(kind, GraphQLNonNull):
            completed = self._value(kind.of_type, field, batch, value, path)
            if completed is None:
                raise TypeError(f"Cannot return null for non-nullable field {field.parent_type}.{field.name}.")
            return completed
        if value is None:
            return None
        if type(value) is Written:
            return value.value()
        if isinstance(kind, GraphQLList):
            return [self._item(kind.of_type, field, batch, each, path.add_key(key, None)) for key, each in enumerate(value)]
        if field.is_leaf:
            return complete_leaf(kind, value)
        children = batch.children[field]
        where = (children.batches[0], value) if children.where is None else children.where[value]
        if type(where) is Failure:
            raise where.error
        return self._answer(where[0], where[1], path)  # type: ignore[index]  # the Failure was raised

    def _item(self, kind: Any, field: Field, batch: Batch, value: Any, path: Path) -> Any:
        try:
            return self._value(kind, field, batch, value, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this item's error
            return self._failed(error, kind, field, path)

    def _failed(self, error: Exception, kind: Any, field: Field, path: Path) -> None:
        """Raises the error where there must be a value; notes it where there may be none."""
        located = located_error(error, field.nodes, path.as_list())
        if isinstance(kind, GraphQLNonNull):
            raise located
        self._collected.add(located, path)
