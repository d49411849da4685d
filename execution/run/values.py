"""Normalises what resolvers and loaders return: lists become lists, awaitables are awaited, exceptions become FieldErrors.

A normal value is None, a FieldError, an object, RawJson, or, for a field of a list type, a list of normal values.
"""

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from types import CoroutineType, GeneratorType, NoneType
from typing import TypeVar

from graphql import GraphQLError
from graphql.pyutils import Undefined, is_iterable
from graphql.pyutils.is_awaitable import is_awaitable

from execution.field_error import FieldError
from execution.opaque_types import Source
from execution.raw_json import RawJson

__all__ = ["await_all", "find_awaitables", "flatten", "normalize", "read_attribute", "reads_items", "unflatten"]

T = TypeVar("T")


@lru_cache(maxsize=4_096)
def is_plain(class_: type) -> bool:
    """Whether instances of a class are normal values: none is an awaitable, an exception, or a stand-in for a missing value."""
    return not (issubclass(class_, (Exception, FieldError, type(Undefined), CoroutineType, GeneratorType)) or hasattr(class_, "__await__"))


def _all_plain(classes: set[type]) -> bool:
    return all(is_plain(each) for each in classes)


def read_attribute(parents: list[Source], name: str) -> list[Source]:
    """Returns an attribute of each parent, or a FieldError if reading it fails."""
    classes = set(map(type, parents))
    if len(classes) == 1 and reads_items(classes.pop(), name):
        try:
            return [each[name] for each in parents]
        except Exception:  # noqa: BLE001, S110 - one parent's error; the loop below finds out whose
            pass
    values: list[Source] = []
    for each in parents:
        try:
            values.append(getattr(each, name))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            values.append(FieldError(error))
    return values


@lru_cache(maxsize=4_096)
def reads_items(class_: type, name: str) -> bool:
    """Whether an attribute of a class's instances is an item: the class has a true `columns_are_items`, and no attribute of this name itself."""
    return bool(getattr(class_, "columns_are_items", False)) and not hasattr(class_, name)


async def await_all(waiting: list[tuple[list[Source], int]]) -> None:
    """Awaits the values at these places of their lists together, and replaces them by their results, or by FieldErrors."""
    if len(waiting) == 1:
        values, place = waiting[0]
        try:
            values[place] = await values[place]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this value's error
            values[place] = FieldError(error)
        return
    results = await asyncio.gather(*[values[place] for values, place in waiting], return_exceptions=True)
    for (values, place), result in zip(waiting, results, strict=True):
        if isinstance(result, BaseException):
            if not isinstance(result, Exception):
                raise result
            values[place] = FieldError(result)
        else:
            values[place] = result


_NEVER_LISTS = (NoneType, FieldError, RawJson)


async def normalize(values: list[Source], list_depth: int, coordinate: str) -> bool:
    """Makes values normal, in their list. Returns whether a FieldError is among them. `coordinate` names the field in an error."""
    if not list_depth:
        if _all_plain(set(map(type, values))):
            return False
        for place, value in enumerate(values):
            values[place] = _normal_object(value)
        return any(type(each) is FieldError for each in values)
    if set(map(type, values)) == {list}:
        classes: set[type] = set()
        for each in values:
            classes.update(map(type, each))
        if list_depth == 1 and _all_plain(classes):
            return False
    has_errors = False
    for place, value in enumerate(values):
        normal = _normal_object(value)
        if type(normal) not in _NEVER_LISTS:
            normal = await _normal_list(normal, coordinate)
            if not isinstance(normal, FieldError):
                has_errors = await normalize(normal, list_depth - 1, coordinate) or has_errors
        has_errors = has_errors or type(normal) is FieldError
        values[place] = normal
    return has_errors


def _is_awaitable(value: Source) -> bool:
    class_: type = type(value)
    return not is_plain(class_) and is_awaitable(value)


def _normal_object(value: Source) -> Source:
    if value is Undefined:
        return None
    return FieldError(value) if isinstance(value, Exception) else value


async def _normal_list(value: Source, coordinate: str) -> list[Source] | FieldError:
    """Returns a list of what iterating over a value yields; a FieldError if it cannot be iterated, or doing so raises."""
    try:
        if hasattr(value, "__aiter__"):
            items = [each async for each in value]
        elif is_iterable(value):
            items = list(value)
        else:
            return FieldError(GraphQLError(f"Expected Iterable, but did not find one for field '{coordinate}'."))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this list's error
        return FieldError(error)
    waiting = [(items, place) for place, each in enumerate(items) if _is_awaitable(each)]
    if waiting:
        await await_all(waiting)
    return items


def flatten(values: list[Source], list_depth: int) -> list[Source]:
    """Returns the objects in normal values, in order, without None, FieldErrors and RawJson."""
    if not list_depth:
        if _has_objects_only(set(map(type, values))):
            return values
        return [each for each in values if each is not None and type(each) is not FieldError and type(each) is not RawJson]
    if list_depth == 1 and None not in values:
        try:
            found = list(chain.from_iterable(values))
        except TypeError:  # a FieldError or RawJson is among them
            pass
        else:
            return found if _has_objects_only(set(map(type, found))) else flatten(found, 0)
    objects: list[Source] = []
    for each in values:
        if type(each) is list:
            objects.extend(flatten(each, list_depth - 1))
    return objects


def _has_objects_only(classes: set[type]) -> bool:
    return NoneType not in classes and FieldError not in classes and RawJson not in classes


def unflatten(values: list[Source], list_depth: int, replacements: Iterator[T]) -> list[T | Source]:
    """Returns the same values with each object replaced by the next of the replacements; the inverse of `flatten`."""
    if not list_depth:
        return [each if each is None or type(each) is FieldError or type(each) is RawJson else next(replacements) for each in values]
    return [unflatten(each, list_depth - 1, replacements) if type(each) is list else each for each in values]


def find_awaitables(values: list[Source]) -> list[tuple[list[Source], int]]:
    """Returns the places of the values that must be awaited, each with the list."""
    if _all_plain(set(map(type, values))):
        return []
    return [(values, place) for place, each in enumerate(values) if _is_awaitable(each)]
