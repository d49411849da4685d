"""Runs a plan breadth-first: at each depth every field is resolved for all its parents, and everything that must be awaited is awaited together.

The result is a tree of scopes with normal values (values.py). complete/fast.py makes the response of it, or complete/with_errors.py if
something failed.
"""

import asyncio
from collections.abc import Callable, Hashable

from graphql import GraphQLError, default_field_resolver

from execution.field_error import FieldError
from execution.fields import LoaderField, RootField
from execution.loaders import ALL_COLUMNS, Loader
from execution.opaque_types import ArgumentValue, LoaderKey, Source
from execution.plan.arguments import coerce_arguments
from execution.plan.selections import Field, FieldKind
from execution.raw_json import RawJson
from execution.run.dataloaders import RequestLoader
from execution.run.inline_values import inline_value
from execution.run.resolve_info import ResolveInfo
from execution.run.scopes import Children, ExecutionScope, ExecutionState
from execution.run.type_resolution import open_child_scopes
from execution.run.values import await_all, find_awaitables, flatten, normalize, read_attribute
from execution.time_slices import pause

__all__ = ["Executor"]

# For more parents than this the executor pauses between fields, since an operation may have many of them. Functions are called for a slice of
# the parents at a time.
_AT_ONCE = 50
_SLICE = 100

# Values that must be awaited: their list, and their place in it.
_Awaitables = list[tuple[list[Source], int]]
# What fields want of each data loader; the list holds the keys, and is replaced by the values.
_Requests = dict[RequestLoader, list[tuple[ExecutionScope, Field, list[LoaderKey]]]]


class Executor(ExecutionState):
    """Executes the fields of one operation."""

    async def resolve(self, root: ExecutionScope) -> None:
        """Resolves everything below a scope."""
        level = [root]
        while level:
            waiting: _Awaitables = []
            requests: _Requests = {}
            for scope in level:
                if len(scope.parents) > _AT_ONCE:
                    await self._execute_fields_in_slices(scope, waiting, requests)
                    continue
                for field in scope.selection.resolved_before_completion:
                    self._execute_field(scope, field, waiting, requests)
            if requests or waiting:
                await self._await(waiting, requests)
            level = await self._next_level(level)

    async def _next_level(self, level: list[ExecutionScope]) -> list[ExecutionScope]:
        """Normalises the values of a level, and returns the scopes of the objects that they lead to."""
        below: list[ExecutionScope] = []
        for scope in level:
            many = len(scope.parents) > _AT_ONCE
            for field in scope.selection.resolved_before_completion:
                if many:
                    await pause()
                values = scope.values[field]
                if await normalize(values, field.list_depth, field.coordinate):
                    self.has_errors = True
                if not field.is_leaf:
                    below += await self._open_children(scope, field)
        return below

    def _execute_field(self, scope: ExecutionScope, field: Field, waiting: _Awaitables, requests: _Requests) -> None:
        """Resolves a field for all its parents as far as that is possible without waiting."""
        if field.kind is FieldKind.EDGE:
            self._enqueue_edge(scope, field, requests)
        elif field.kind is FieldKind.ROOT:
            self._enqueue_root_field(scope, field, requests)
        else:
            values = scope.values[field] = self._values(scope, field)
            waiting += find_awaitables(values)

    async def _execute_fields_in_slices(self, scope: ExecutionScope, waiting: _Awaitables, requests: _Requests) -> None:
        """Resolves the fields of many parents likewise; functions are called for a slice of the parents at a time."""
        for field in scope.selection.resolved_before_completion:
            await pause()
            if field.kind not in (FieldKind.RESOLVER, FieldKind.COMPUTED):
                self._execute_field(scope, field, waiting, requests)
                continue
            values: list[Source] = []
            for start in range(0, len(scope.parents), _SLICE):
                await pause()
                values += self._values(scope, field, range(start, min(start + _SLICE, len(scope.parents))))
            scope.values[field] = values
            waiting += find_awaitables(values)

    async def _await(self, waiting: _Awaitables, requests: _Requests) -> None:
        work = [self._load(loader, fields) for loader, fields in requests.items()]
        if waiting:
            work.append(await_all(waiting))
        if len(work) == 1:
            await work[0]
        else:
            await asyncio.gather(*work)

    def _values(self, scope: ExecutionScope, field: Field, places: range | None = None) -> list[Source]:
        """Returns a field's values for the parents at these places; for all parents if None."""
        if field.kind is FieldKind.COLUMN:
            return read_attribute(scope.parents, str(field.column))
        places = range(len(scope.parents)) if places is None else places
        if field.kind is FieldKind.RESOLVER:
            return self._call_resolver(scope, field, places)
        return [inline_value(field, scope.parents[place]) for place in places]

    def _call_resolver(self, scope: ExecutionScope, field: Field, places: range) -> list[Source]:
        """Returns what a field's resolver returns for the parents at these places: values, awaitables, FieldErrors."""
        # ResolveInfo has every attribute of graphql-core's, which a resolver is declared to take.
        resolve: Callable[..., Source] = field.definition.resolve or default_field_resolver
        given = self._coerced_arguments(field)
        if isinstance(given, FieldError):
            return [given] * len(places)
        values: list[Source] = []
        for place in places:
            try:
                values.append(resolve(scope.parents[place], ResolveInfo(self, field, scope, place), **given))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
                values.append(FieldError(error))
        return values

    def _coerced_arguments(self, field: Field) -> dict[str, ArgumentValue] | FieldError:
        try:
            return coerce_arguments(field.definition, field.nodes[0], self.variables, hide_suggestions=self.plan.hide_suggestions)
        except GraphQLError as error:
            return FieldError(error)

    def _enqueue_edge(self, scope: ExecutionScope, field: Field, requests: _Requests) -> None:
        """Adds the keys that an edge needs to the requests to its loader; sets the values that need no loader."""
        edge: LoaderField = field.declared
        parents = scope.parents
        arguments = self._edge_arguments(field, edge)
        has_failed = type(arguments) is FieldError
        values = read_attribute(parents, edge.key)
        if has_failed:
            values = [each if type(each) is FieldError else arguments for each in values]
        if edge.allowed is not None and edge.refuse is not None:
            for place, is_allowed in enumerate(read_attribute(parents, edge.allowed)):
                if type(is_allowed) is FieldError:
                    values[place] = is_allowed
                elif not is_allowed:
                    values[place] = FieldError(edge.refuse())
        scope.values[field] = values
        if not has_failed:
            self._enqueue(scope, field, edge.loader, arguments, requests)

    def _enqueue_root_field(self, scope: ExecutionScope, field: Field, requests: _Requests) -> None:
        """Adds the key of a root field to the requests to its loader."""
        root: RootField = field.declared
        request = self._root_request(field, root)
        if isinstance(request, FieldError):
            scope.values[field] = [request]
            return
        key, arguments = request
        scope.values[field] = [key]
        self._enqueue(scope, field, root.loader, arguments, requests)

    def _root_request(self, field: Field, root: RootField) -> tuple[LoaderKey, Hashable] | FieldError:
        """Returns the key and the loader's arguments of a root field; an error for invalid arguments, or if the viewer may not see the field."""
        cached: tuple[LoaderKey, Hashable] | None = field.cached_arguments
        given = None if cached is not None else self._resolver_arguments(field)
        if isinstance(given, FieldError):
            return given
        try:
            root.check(self.context)
            if cached is not None:
                return cached
            assert given is not None
            request = root.ask(**given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return FieldError(error)
        if field.has_constant_arguments:
            field.cached_arguments = request
        return request

    def _enqueue(self, scope: ExecutionScope, field: Field, declared: Loader, arguments: Hashable, requests: _Requests) -> None:
        loader: RequestLoader = self.context.loaders.of(declared, arguments, self.plan.projections.get(field, ALL_COLUMNS))
        requests.setdefault(loader, []).append((scope, field, scope.values[field]))

    def _resolver_arguments(self, field: Field) -> dict[str, ArgumentValue] | FieldError:
        """Returns a field's arguments as its Python function takes them; an error for invalid ones."""
        if field.variable_arguments is not None:
            coerced = self.variables.coerced
            arguments = {name: coerced.get(variable) for name, variable in field.variable_arguments.items()}
            if None not in arguments.values():
                return arguments
        given = self._coerced_arguments(field)
        if isinstance(given, FieldError) or field.converter is None:
            return given
        try:
            return field.converter(given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return FieldError(error)

    def _edge_arguments(self, field: Field, edge: LoaderField) -> Source:
        """Returns the arguments of an edge's loader; a FieldError for invalid arguments, or if the edge's declaration refuses them."""
        if edge.prepare is None or field.cached_arguments is not None:
            return field.cached_arguments
        given = self._resolver_arguments(field)
        if isinstance(given, FieldError):
            return given
        try:
            arguments = edge.prepare(None, **given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return FieldError(error)
        if field.has_constant_arguments:
            field.cached_arguments = arguments
        return arguments

    async def _load(self, loader: RequestLoader, fields: list[tuple[ExecutionScope, Field, list[LoaderKey]]]) -> None:
        """Loads the keys that several fields need of one loader, each key once, and replaces the keys by the values."""
        try:
            keys = dict.fromkeys([key for _, _, values in fields for key in values if type(key) is not FieldError])
        except TypeError:
            keys = dict.fromkeys([key for _, _, values in fields for key in _hashable(values) if type(key) is not FieldError])
        keys.pop(None, None)
        found = await loader.load_all(keys) if keys else {}
        for scope, field, values in fields:
            if len(values) > _AT_ONCE:
                await pause()
            scope.values[field] = [key if type(key) is FieldError else found.get(key) for key in values]

    async def _open_children(self, scope: ExecutionScope, field: Field) -> list[ExecutionScope]:
        """Opens the scopes of the objects that a field's values are or contain."""
        values = scope.values[field]
        objects = flatten(values, field.list_depth)
        if self.size is not None and len(objects) < len(values):
            self.size.add(sum(len(each.text) for each in values if type(each) is RawJson))
        shared: dict[int, int] | None = None
        if len(objects) > 1 and field.can_share_children:
            objects = list({id(each): each for each in objects}.values())
            shared = {id(each): place for place, each in enumerate(objects)}
        children = scope.children[field] = Children(objects, shared)
        if objects:
            await open_child_scopes(self, scope, field, children)
        return children.scopes


def _hashable(values: list[LoaderKey]) -> list[LoaderKey]:
    """Returns the same list with every value that cannot be hashed replaced by a FieldError."""
    for place, value in enumerate(values):
        try:
            hash(value)
        except TypeError as error:
            values[place] = FieldError(error)
    return values
