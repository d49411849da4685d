"""Which object type each object is of, and that it may be where it is."""

import weakref
from typing import Any

from graphql import GraphQLAbstractType, GraphQLError, GraphQLObjectType, is_abstract_type, is_object_type
from graphql.pyutils import inspect
from graphql.pyutils.is_awaitable import is_awaitable

from execution.field_error import Failure
from execution.fields import decided_by_class
from execution.run.resolve_info import ResolveInfo, default_type_resolver
from execution.run.values import await_all

__all__ = ["kinds_of"]


async def kinds_of(run: Any, batch: Any, field: Any, children: Any) -> None:
    """Sorts a field's objects into batches by their types. What is of no type that may be here is a Failure."""
    objects = children.objects
    if isinstance(field.named, GraphQLObjectType):
        if await _all_are(run, batch, field, objects):
            selection = field.select(field.named)
            if type(selection) is not Failure:
                children.batches = [type(batch)(selection, objects, (weakref.ref(batch), field))]
                return
        kinds: list[Any] = [field.named] * len(objects)
    else:
        kinds = await _abstract(run, batch, field, objects)
    await _check(run, batch, field, objects, kinds)
    _sort(run, batch, field, children, kinds)


async def _all_are(run: Any, batch: Any, field: Any, objects: list[Any]) -> bool:
    """Whether it is clear at a glance that all objects are of the field's object type."""
    tells = field.named.is_type_of
    if tells is None:
        return True
    if not decided_by_class(tells):
        return False
    if len(set(map(type, objects))) > 1:
        return False
    return await _said(tells, objects[0], ResolveInfo(run, field, batch, 0)) is True


def _sort(run: Any, batch: Any, field: Any, children: Any, kinds: list[Any]) -> None:
    made: dict[str, Any] = {}
    where: list[Any] = []
    found: Any
    for each, kind in zip(children.objects, kinds, strict=True):
        if type(kind) is Failure:
            run.failed = True
            where.append(kind)
            continue
        found = made.get(kind.name)
        if found is None:
            selection = field.select(kind)
            found = selection if type(selection) is Failure else type(batch)(selection, [], (weakref.ref(batch), field))
            made[kind.name] = found
        if type(found) is Failure:
            run.failed = True
            where.append(found)
            continue
        where.append((found, len(found.parents)))
        found.parents.append(each)
    children.batches = [each for each in made.values() if type(each) is not Failure]
    if len(children.batches) != 1 or len(children.batches[0].parents) != len(children.objects):
        children.where = where


async def _each(run: Any, batch: Any, field: Any, objects: list[Any], ask: Any) -> list[Any]:
    """What a function says of each object, and of the place where it is; asked once for each class where the class decides."""
    said: list[Any] = []
    if decided_by_class(ask):
        by_class: dict[type, Any] = {}
        for each in objects:
            kind = type(each)
            if kind not in by_class:
                by_class[kind] = await _said(ask, each, ResolveInfo(run, field, batch, 0))
            said.append(by_class[kind])
        return said
    waiting = []
    for place, each in enumerate(objects):
        try:
            answer = ask(each, ResolveInfo(run, field, batch, 0))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's error
            answer = Failure(error)
        said.append(answer)
        if is_awaitable(answer):
            waiting.append((said, place))
    if waiting:
        await await_all(waiting)
    return said


async def _said(ask: Any, each: Any, info: Any) -> Any:
    try:
        answer = ask(each, info)
        return await answer if is_awaitable(answer) else answer
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this object's error
        return Failure(error)


async def _abstract(run: Any, batch: Any, field: Any, objects: list[Any]) -> list[Any]:
    abstract = field.named
    resolve = abstract.resolve_type or default_type_resolver
    ask = _BoundToType(resolve, abstract)
    names = await _each(run, batch, field, objects, ask)
    known: dict[Any, Any] = {}
    kinds = []
    for each, name in zip(objects, names, strict=True):
        if type(name) is Failure:
            kinds.append(name)
        elif type(name) is str:
            if name not in known:
                known[name] = _named(run, field, abstract, each, name)
            kinds.append(known[name])
        else:
            kinds.append(_named(run, field, abstract, each, name))
    return kinds


class _BoundToType:
    """An abstract type's function that names an object's type, called like `is_type_of`."""

    def __init__(self, resolve: Any, abstract: GraphQLAbstractType) -> None:
        self._resolve = resolve
        self._abstract = abstract
        self.decided_by_class = decided_by_class(resolve)

    def __call__(self, value: Any, info: Any) -> Any:
        return self._resolve(value, info, self._abstract)


def _named(run: Any, field: Any, abstract: Any, value: Any, name: Any) -> Any:
    """The object type of this name, or a Failure with what graphql-core says when it will not do."""
    where = f"{field.parent_type}.{field.name}"
    schema = run.plan.schema
    if name is None:
        message = (
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field '{where}'."
            f" Either the '{abstract}' type should provide a 'resolve_type' function or each possible type should provide an 'is_type_of' function."
        )
    elif not isinstance(name, str):
        message = (
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field '{where}' with value"
            f" {inspect(value)}, received '{inspect(name)}', which is not a valid Object type name."
        )
    else:
        kind = schema.get_type(name)
        if kind is None:
            message = f"Abstract type '{abstract}' was resolved to a type '{name}' that does not exist inside the schema."
        elif not is_object_type(kind):
            message = f"Abstract type '{abstract}' was resolved to a non-object type '{name}'."
        elif is_abstract_type(abstract) and not schema.is_sub_type(abstract, kind):
            message = f"Runtime Object type '{kind}' is not a possible type for '{abstract}'."
        else:
            return kind
    return Failure(GraphQLError(message, field.nodes))


async def _check(run: Any, batch: Any, field: Any, objects: list[Any], kinds: list[Any]) -> None:
    """Asks each type that can tell whether the objects said to be of it are."""
    asking: dict[Any, list[int]] = {}
    for place, kind in enumerate(kinds):
        if type(kind) is not Failure and kind.is_type_of is not None:
            asking.setdefault(kind, []).append(place)
    for kind, places in asking.items():
        answers = await _each(run, batch, field, [objects[place] for place in places], kind.is_type_of)
        for place, answer in zip(places, answers, strict=True):
            if type(answer) is Failure:
                kinds[place] = answer
            elif not answer:
                kinds[place] = Failure(GraphQLError(f"Expected value of type '{kind}' but got: {inspect(objects[place])}.", field.nodes))
