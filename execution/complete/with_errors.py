"""Completes scopes in which something failed, value by value as the specification describes it, with the path of every error.

No resolver is called again; only fields that are read from their parents are read once more. A null propagates to the nearest nullable place.
Paths and locations are those of graphql-core, and errors come in the order of the response.
"""

import asyncio

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, GraphQLOutputType, is_leaf_type, located_error
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path

from execution.complete.leaf_values import complete_leaf
from execution.field_error import FieldError
from execution.opaque_types import JSONData, Source
from execution.plan.selections import Field
from execution.raw_json import RawJson
from execution.run.inline_values import inline_value
from execution.run.resolve_info import child_places
from execution.run.scopes import ExecutionScope
from execution.run.values import await_all, find_awaitables, normalize
from execution.time_slices import pause

__all__ = ["ErrorPropagation"]

# The response of more objects than this is completed in a thread.
_AT_ONCE = 500


class ErrorPropagation:
    """Completes the scopes of one operation, and collects their errors in `errors`."""

    def __init__(self) -> None:
        self._collected = CollectedErrors()
        self._places: dict[tuple[int, Field], list[object]] = {}

    @property
    def errors(self) -> list[GraphQLError]:
        return self._collected.errors

    def omit(self, field: Field, error: Exception) -> None:
        """Adds the error of a root field that has run and whose response is omitted. Errors of other root fields stay beside it."""
        self._collected.add(located_error(error, field.nodes, [field.key]), Path(None, field.key, field.parent_type.name))

    async def complete(self, root: ExecutionScope) -> dict[str, JSONData] | None:
        """Returns the completed root; None if an error propagated to it."""
        objects = await self._read_inline_values(root)
        # Beside the event loop: this is plain Python over every value, and waits for nothing.
        return await asyncio.to_thread(self._complete_root, root) if objects > _AT_ONCE else self._complete_root(root)

    def _complete_root(self, root: ExecutionScope) -> dict[str, JSONData] | None:
        try:
            return self._complete_object(root, 0, None)
        except GraphQLError as error:
            self._collected.add(error, None)
            return None

    async def _read_inline_values(self, root: ExecutionScope) -> int:
        """Reads the fields that fast completion reads from their parents. Returns the number of objects."""
        waiting = [root]
        objects = 0
        while waiting:
            scope = waiting.pop()
            objects += len(scope.parents)
            if len(scope.parents) > _AT_ONCE:
                await pause()
            for field in scope.selection.fields:
                if field.resolved_in_completion:
                    values = scope.values[field] = [inline_value(field, each) for each in scope.parents]
                    awaitables = find_awaitables(values)
                    if awaitables:
                        await await_all(awaitables)
                    await normalize(values, field.list_depth, field.coordinate)
                elif field in scope.children:
                    waiting += scope.children[field].scopes
        return objects

    def _complete_object(self, scope: ExecutionScope, place: int, path: Path | None) -> dict[str, JSONData]:
        """Returns the completed object at a place of a scope. Raises GraphQLError if a non-null field is null."""
        return {
            each.key: self._complete_field(scope, place, each, Path(path, each.key, each.parent_type.name))
            for each in scope.selection.fields
        }

    def _complete_field(self, scope: ExecutionScope, place: int, field: Field, path: Path) -> JSONData:
        value: Source
        try:
            if field.is_leaf:
                value = scope.values[field][place]
            else:
                key = (id(scope), field)
                if key not in self._places:
                    self._places[key] = child_places(scope, field)
                value = self._places[key][place]
            return self._complete_value(field.type, field, scope, value, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            self._handle(error, field.type, field, path)
            return None

    def _complete_value(self, type_: GraphQLOutputType, field: Field, scope: ExecutionScope, value: Source, path: Path) -> JSONData:
        """Completes a value of this type; an object is given by its place among the field's children."""
        if type(value) is FieldError:
            raise value.error
        if isinstance(type_, GraphQLNonNull):
            completed = self._complete_value(type_.of_type, field, scope, value, path)
            if completed is None:
                raise TypeError(f"Cannot return null for non-nullable field {field.coordinate}.")
            return completed
        if value is None:
            return None
        if type(value) is RawJson:
            return value.value()
        if isinstance(type_, GraphQLList):
            return [self._complete_item(type_.of_type, field, scope, each, path.add_key(key, None)) for key, each in enumerate(value)]
        if is_leaf_type(type_):
            return complete_leaf(type_, value)
        children = scope.children[field]
        location = (children.scopes[0], value) if children.locations is None else children.locations[value]
        if isinstance(location, FieldError):
            raise location.error
        return self._complete_object(location[0], location[1], path)

    def _complete_item(self, type_: GraphQLOutputType, field: Field, scope: ExecutionScope, value: Source, path: Path) -> JSONData:
        try:
            return self._complete_value(type_, field, scope, value, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this item's error
            self._handle(error, type_, field, path)
            return None

    def _handle(self, error: Exception, type_: GraphQLOutputType, field: Field, path: Path) -> None:
        """Raises the located error if the place is non-null; otherwise collects it."""
        located = located_error(error, field.nodes, path.as_list())
        if isinstance(type_, GraphQLNonNull):
            raise located
        self._collected.add(located, path)
