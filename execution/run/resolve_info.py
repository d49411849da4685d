"""Builds the `info` argument of resolvers and type resolvers, whose paths are built only when they are read."""

from collections.abc import Iterable
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, GraphQLObjectType, GraphQLOutputType, GraphQLSchema, OperationDefinitionNode
from graphql.pyutils import Path, gather_with_cancel
from graphql.pyutils.is_awaitable import is_awaitable
from graphql.type import GraphQLResolveInfoHelpers

from execution.opaque_types import ArgumentValue, RequestContext
from execution.plan.selections import Field
from execution.run.scopes import ExecutionScope, ExecutionState
from execution.run.values import unflatten

__all__ = ["ResolveInfo", "child_places"]


def _track(_: object) -> None:
    """Does nothing: every awaitable is awaited here, so none has to be tracked."""


# The signatures are graphql-core's.
_HELPERS = GraphQLResolveInfoHelpers(gather=lambda values: gather_with_cancel(*values), track=_track)


class ResolveInfo:
    """Has every attribute of graphql-core's GraphQLResolveInfo, and Strawberry's `operation_extensions`."""

    __slots__ = ("_field", "_place", "_scope", "_state")

    is_awaitable = staticmethod(is_awaitable)
    abort_signal = None
    async_helpers = _HELPERS
    operation_extensions: Any = None  # Strawberry's; this executor has none
    root_value = None

    def __init__(self, state: ExecutionState, field: Field, scope: ExecutionScope, place: int) -> None:
        self._state = state
        self._field = field
        self._scope = scope
        self._place = place

    @property
    def context(self) -> RequestContext:
        return self._state.context

    @property
    def field_name(self) -> str:
        return self._field.name

    @property
    def field_nodes(self) -> list[FieldNode]:
        return self._field.nodes

    @property
    def return_type(self) -> GraphQLOutputType:
        return self._field.type

    @property
    def parent_type(self) -> GraphQLObjectType:
        return self._field.parent_type

    @property
    def path(self) -> Path:
        return Path(_path_of(self._scope, self._place), self._field.key, self._field.parent_type.name)

    @property
    def schema(self) -> GraphQLSchema:
        return self._state.plan.schema

    @property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        return self._state.plan.fragment_definitions

    @property
    def operation(self) -> OperationDefinitionNode:
        return self._state.plan.operation

    @property
    def variable_values(self) -> dict[str, ArgumentValue]:
        return dict(self._state.variables.coerced)


def _path_of(scope: ExecutionScope, place: int) -> Path | None:
    """Returns the path of an object, None for the root; one of its paths, if several parents share it."""
    if scope.origin is None:
        return None
    reference, field = scope.origin
    above = reference()
    assert above is not None, "the scopes of an operation live as long as it runs"
    children = above.children[field]
    if children.locations is not None:
        place = next(at for at, each in enumerate(children.locations) if isinstance(each, tuple) and each[0] is scope and each[1] == place)
    for parent_place, places in enumerate(child_places(above, field)):
        keys = _find(places, place)
        if keys is not None:
            path = Path(_path_of(above, parent_place), field.key, field.parent_type.name)
            for key in keys:
                path = path.add_key(key, None)
            return path
    raise LookupError("No parent leads to this object.")


def child_places(scope: ExecutionScope, field: Field) -> "list[object]":
    """Returns a field's values with each object replaced by its place in `Children.objects`."""
    children = scope.children[field]
    if children.shared is not None:
        return [children.shared.get(id(each), each) for each in scope.values[field]]
    return unflatten(scope.values[field], field.list_depth, iter(range(len(children.objects))))


def _find(places: object, place: int) -> list[int] | None:
    """Returns the list indices that lead to a place among these; None if it is not there."""
    if type(places) is int and places == place:
        return []
    if isinstance(places, list):
        items: Iterable[object] = places
        for key, each in enumerate(items):
            found = _find(each, place)
            if found is not None:
                return [key, *found]
    return None
