"""Resolves the object type of each object (`resolve_type`, `is_type_of`), and sorts the objects into scopes by it."""

import weakref
from collections.abc import Callable

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_object_type,
)
from graphql.execution.executor import default_type_resolver
from graphql.pyutils import inspect
from graphql.pyutils.is_awaitable import is_awaitable

from execution.field_error import FieldError
from execution.fields import is_decided_by_class
from execution.opaque_types import Source
from execution.plan.selections import Field, Selection
from execution.run.resolve_info import ResolveInfo
from execution.run.scopes import Children, ExecutionScope, ExecutionState
from execution.run.values import await_all

__all__ = ["open_child_scopes"]

# An `is_type_of`, or an abstract type's `resolve_type`, which returns its result or an awaitable of it. ResolveInfo has every attribute of
# graphql-core's GraphQLResolveInfo, which they are declared to take, but is none: that is a tuple, made in full for each call.
_Ask = Callable[[Source, ResolveInfo], object]
_Types = list[GraphQLObjectType | FieldError]


async def open_child_scopes(state: ExecutionState, scope: ExecutionScope, field: Field, children: Children) -> None:
    """Opens a scope for each type of a field's objects. An object whose type is not allowed there gets a FieldError as its location."""
    objects = children.objects
    types: _Types
    if isinstance(field.named, GraphQLObjectType):
        if await _are_all_of(field.named, state, scope, field, objects):
            selection = field.select(field.named)
            if isinstance(selection, Selection):
                children.scopes = [ExecutionScope(selection, objects, (weakref.ref(scope), field))]
                return
        types = [field.named] * len(objects)
    else:
        assert isinstance(field.named, (GraphQLInterfaceType, GraphQLUnionType))
        types = await _runtime_types(field.named, state, scope, field, objects)
    await _check_is_type_of(state, scope, field, objects, types)
    _sort_by_type(state, scope, field, children, types)


async def _are_all_of(
    object_type: GraphQLObjectType, state: ExecutionState, scope: ExecutionScope, field: Field, objects: list[Source]
) -> bool:
    """Returns whether at most one call shows that all objects are of the type."""
    ask = object_type.is_type_of
    if ask is None:
        return True
    if not is_decided_by_class(ask):
        return False
    if len(set(map(type, objects))) > 1:
        return False
    return await _answer(ask, objects[0], ResolveInfo(state, field, scope, 0)) is True  # type: ignore[arg-type]  # see _Ask


def _sort_by_type(state: ExecutionState, scope: ExecutionScope, field: Field, children: Children, types: _Types) -> None:
    opened: dict[str, ExecutionScope | FieldError] = {}
    locations: list[tuple[ExecutionScope, int] | FieldError] = []
    for each, object_type in zip(children.objects, types, strict=True):
        if isinstance(object_type, FieldError):
            state.has_errors = True
            locations.append(object_type)
            continue
        found = opened.get(object_type.name)
        if found is None:
            selection = field.select(object_type)
            found = selection if isinstance(selection, FieldError) else ExecutionScope(selection, [], (weakref.ref(scope), field))
            opened[object_type.name] = found
        if isinstance(found, FieldError):
            state.has_errors = True
            locations.append(found)
            continue
        locations.append((found, len(found.parents)))
        found.parents.append(each)
    children.scopes = [each for each in opened.values() if isinstance(each, ExecutionScope)]
    if len(children.scopes) != 1 or len(children.scopes[0].parents) != len(children.objects):
        children.locations = locations


async def _answers(ask: _Ask, state: ExecutionState, scope: ExecutionScope, field: Field, objects: list[Source]) -> list[object]:
    """Returns what a function says of each object; it is called once for each class if that decides."""
    answers: list[object] = []
    if is_decided_by_class(ask):
        by_class: dict[type, object] = {}
        for each in objects:
            class_ = type(each)
            if class_ not in by_class:
                by_class[class_] = await _answer(ask, each, ResolveInfo(state, field, scope, 0))
            answers.append(by_class[class_])
        return answers
    waiting = []
    for place, each in enumerate(objects):
        answer: object
        try:
            answer = ask(each, ResolveInfo(state, field, scope, 0))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's error
            answer = FieldError(error)
        answers.append(answer)
        if is_awaitable(answer):
            waiting.append((answers, place))
    if waiting:
        await await_all(waiting)
    return answers


async def _answer(ask: _Ask, each: Source, info: ResolveInfo) -> object:
    try:
        answer = ask(each, info)
        return await answer if is_awaitable(answer) else answer
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's error
        return FieldError(error)


async def _runtime_types(
    abstract: GraphQLInterfaceType | GraphQLUnionType, state: ExecutionState, scope: ExecutionScope, field: Field, objects: list[Source]
) -> _Types:
    """Returns the object type of each object of an interface or a union, or a FieldError."""
    names = await _answers(_BoundTypeResolver(abstract), state, scope, field, objects)
    known: dict[str, GraphQLObjectType | FieldError] = {}
    types: _Types = []
    for each, name in zip(objects, names, strict=True):
        if isinstance(name, FieldError):
            types.append(name)
        elif type(name) is str:
            if name not in known:
                known[name] = _named_type(state.plan.schema, field, abstract, each, name)
            types.append(known[name])
        else:
            types.append(_named_type(state.plan.schema, field, abstract, each, name))
    return types


class _BoundTypeResolver:
    """Calls an abstract type's `resolve_type` with the parameters of an `is_type_of`."""

    def __init__(self, abstract: GraphQLInterfaceType | GraphQLUnionType) -> None:
        self._resolve = abstract.resolve_type or default_type_resolver
        self._abstract = abstract
        self.decided_by_class = is_decided_by_class(self._resolve)

    def __call__(self, value: Source, info: ResolveInfo) -> object:
        return self._resolve(value, info, self._abstract)  # type: ignore[arg-type]  # see _Ask


def _named_type(
    schema: GraphQLSchema, field: Field, abstract: GraphQLInterfaceType | GraphQLUnionType, value: Source, name: object
) -> GraphQLObjectType | FieldError:
    """Returns the object type of this name, or an error with graphql-core's message if it cannot be used."""
    if name is None:
        message = (
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field '{field.coordinate}'."
            f" Either the '{abstract}' type should provide a 'resolve_type' function or each possible type should provide an 'is_type_of' function."
        )
    elif not isinstance(name, str):
        message = (
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field '{field.coordinate}' with value"
            f" {inspect(value)}, received '{inspect(name)}', which is not a valid Object type name."
        )
    else:
        found = schema.get_type(name)
        if found is None:
            message = f"Abstract type '{abstract}' was resolved to a type '{name}' that does not exist inside the schema."
        elif not is_object_type(found):
            message = f"Abstract type '{abstract}' was resolved to a non-object type '{name}'."
        elif not schema.is_sub_type(abstract, found):
            message = f"Runtime Object type '{found}' is not a possible type for '{abstract}'."
        else:
            return found
    return FieldError(GraphQLError(message, field.nodes))


async def _check_is_type_of(state: ExecutionState, scope: ExecutionScope, field: Field, objects: list[Source], types: _Types) -> None:
    """Asks every type that has an `is_type_of` whether the objects resolved to it are of it; replaces the type by an error if not."""
    places_by_type: dict[GraphQLObjectType, list[int]] = {}
    for place, object_type in enumerate(types):
        if isinstance(object_type, GraphQLObjectType) and object_type.is_type_of is not None:
            places_by_type.setdefault(object_type, []).append(place)
    for object_type, places in places_by_type.items():
        assert object_type.is_type_of is not None
        of_type = [objects[place] for place in places]
        answers = await _answers(object_type.is_type_of, state, scope, field, of_type)  # type: ignore[arg-type]  # see _Ask
        for place, answer in zip(places, answers, strict=True):
            if isinstance(answer, FieldError):
                types[place] = answer
            elif not answer:
                message = f"Expected value of type '{object_type}' but got: {inspect(objects[place])}."
                types[place] = FieldError(GraphQLError(message, field.nodes))
