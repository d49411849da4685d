"""Completes scopes without errors, from the leaves up: without paths, with one generated function for each selection.

Any exception but ResponseTooLargeError means that complete/with_errors.py must complete the response: it finds out where the error belongs.
"""

from collections.abc import Iterator

import orjson
from graphql import GraphQLNonNull, GraphQLOutputType

from execution.complete.codegen import compile_selection
from execution.field_error import NeedsSlowPathError
from execution.fields import ComputedField
from execution.opaque_types import JSONData, Source
from execution.plan.selections import Field, FieldKind
from execution.raw_json import RawJson
from execution.run.response_size import ResponseSize
from execution.run.scopes import Children, ExecutionScope
from execution.time_slices import pause

__all__ = ["complete_fast"]

# More objects than this are completed in slices, with a pause between them.
_AT_ONCE = 200
_SLICE = 100
# For more objects than this there is a pause before each of their fields, since there may be many of these.
_MANY = 50


async def complete_fast(scope: ExecutionScope, size: ResponseSize) -> list[JSONData]:
    """Returns the completed objects of a scope. Raises ResponseTooLargeError; any other exception calls for the slow path.

    Many objects are returned as fragments of JSON: encoding them all at the end would hold the event loop.
    """
    classes = set(map(type, scope.parents))
    complete, given = compile_selection(scope.selection, classes.pop() if len(classes) == 1 else None)
    columns = [await _completed_field(scope, field, size) for field in given]
    parents = scope.parents
    if len(parents) > _MANY:
        await pause()
    if len(parents) <= _AT_ONCE:
        return complete(parents, *columns)
    completed: list[JSONData] = []
    size = size.part()
    for start in range(0, len(parents), _SLICE):
        await pause()
        end = start + _SLICE
        texts = list(map(orjson.dumps, complete(parents[start:end], *[each[start:end] for each in columns])))
        size.add(sum(map(len, texts)))
        completed += map(orjson.Fragment, texts)
    return completed


async def _completed_field(scope: ExecutionScope, field: Field, size: ResponseSize) -> list[JSONData]:
    """Returns a field of all parents: completed objects, or values of leaves that the generated function completes."""
    if field.kind is FieldKind.COMPUTED and field.resolved_in_completion:
        return await _computed(scope, field)
    values = scope.values[field]
    if field.is_leaf:
        return values
    if len(values) > _MANY:
        await pause()
    if set(map(type, values)) == {RawJson}:
        return [each.fragment() for each in values]
    children = scope.children[field]
    completed = await _completed_children(children, size)
    if children.shared is not None:
        by_identity = dict(zip(map(id, children.objects), completed, strict=True))
        by_identity |= {id(each): each.fragment() for each in values if type(each) is RawJson}
        values = list(map(by_identity.get, map(id, values)))
        if not field.nullable and None in values:
            raise NeedsSlowPathError
        return values
    if not field.list_depth and len(completed) == len(values):
        return completed
    if field.list_depth == 1 and set(map(type, values)) == {list}:
        lengths = list(map(len, values))
        if sum(lengths) == len(completed):
            return _split(completed, lengths)
    return _replace_objects(values, field.type, iter(completed))


async def _completed_children(children: Children, size: ResponseSize) -> list[JSONData]:
    if children.locations is None:
        return await complete_fast(children.scopes[0], size) if children.scopes else []
    by_scope = {id(each): await complete_fast(each, size) for each in children.scopes}
    return [by_scope[id(each[0])][each[1]] for each in children.locations if isinstance(each, tuple)]


async def _computed(scope: ExecutionScope, field: Field) -> list[Source]:
    """Returns a computed field of all parents."""
    computed: ComputedField = field.declared
    assert computed.many is not None
    values: list[Source] = []
    for start in range(0, len(scope.parents), _AT_ONCE):
        if start:
            await pause()
        values += computed.many(scope.parents[start : start + _AT_ONCE])
    return values


def _split(items: list[JSONData], lengths: list[int]) -> list[list[JSONData]]:
    """Splits a list into lists of these lengths."""
    pieces = []
    start = 0
    for length in lengths:
        end = start + length
        pieces.append(items[start:end])
        start = end
    return pieces


def _replace_objects(values: list[Source], type_: GraphQLOutputType, completed: Iterator[JSONData]) -> list[JSONData]:
    """Returns values of this type with each object replaced by the next completed one. Raises NeedsSlowPathError for a null that is not allowed."""
    nullable = not isinstance(type_, GraphQLNonNull)
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    item_type: GraphQLOutputType | None = getattr(inner, "of_type", None)
    if not nullable and any(each is None for each in values):
        raise NeedsSlowPathError
    if item_type is None:
        return [each.fragment() if type(each) is RawJson else None if each is None else next(completed) for each in values]
    return [
        each.fragment() if type(each) is RawJson else None if each is None else _replace_objects(each, item_type, completed)
        for each in values
    ]
