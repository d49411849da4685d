"""Values as resolvers give them, made regular: lists are lists, what is awaitable is awaited, an exception is a Failure.

A regular value is None, a Failure, an object, (for a field whose type is made of lists) a list of regular values, or one of these Written.
"""

import asyncio
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from types import CoroutineType, GeneratorType, NoneType
from typing import Any

from graphql import GraphQLError
from graphql.pyutils import Undefined, is_iterable
from graphql.pyutils.is_awaitable import is_awaitable

from execution.field_error import Failure
from execution.raw_json import Written

__all__ = ["await_all", "awaitables", "flat", "is_plain", "read", "reads_items", "rebuilt", "regular"]


@lru_cache(maxsize=4_096)
def is_plain(kind: Any) -> bool:
    """Whether values of a class are what they are: none is awaitable, an exception, or a stand-in for no value."""
    return not (issubclass(kind, (Exception, Failure, type(Undefined), CoroutineType, GeneratorType)) or hasattr(kind, "__await__"))


def all_plain(kinds: set[type]) -> bool:
    return all(is_plain(each) for each in kinds)


def read(parents: list[Any], name: str) -> list[Any]:
    """An attribute of each parent; a Failure where it has none."""
    kinds = set(map(type, parents))
    if len(kinds) == 1 and reads_items(kinds.pop(), name):
        try:
            return [each[name] for each in parents]
        except Exception:  # noqa: BLE001, S110 - it is one parent's error, and found out below whose
            pass
    values: list[Any] = []
    for each in parents:
        try:
            values.append(getattr(each, name))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            values.append(Failure(error))
    return values


@lru_cache(maxsize=4_096)
def reads_items(kind: type, name: str) -> bool:
    """Whether an attribute of a class's instances is an item: the class says so by a true `columns_are_items`, and has none of this name itself."""
    return bool(getattr(kind, "columns_are_items", False)) and not hasattr(kind, name)


async def await_all(waiting: list[tuple[list[Any], int]]) -> None:
    """Awaits the values at these places together, and puts what they give there."""
    if len(waiting) == 1:
        values, place = waiting[0]
        try:
            values[place] = await values[place]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this value's error
            values[place] = Failure(error)
        return
    answers = await asyncio.gather(*[values[place] for values, place in waiting], return_exceptions=True)
    for (values, place), answer in zip(waiting, answers, strict=True):
        if isinstance(answer, BaseException):
            if not isinstance(answer, Exception):
                raise answer
            values[place] = Failure(answer)
        else:
            values[place] = answer


_NO_LIST = (NoneType, Failure, Written)


async def regular(values: list[Any], lists: int, where: str) -> bool:
    """Makes values regular, in their list. Says whether a Failure is among them. `where` names the field in an error."""
    if not lists:
        if all_plain(set(map(type, values))):
            return False
        for place, value in enumerate(values):
            values[place] = _single(value)
        return any(type(each) is Failure for each in values)
    if set(map(type, values)) == {list}:
        kinds: set[type] = set()
        for each in values:
            kinds.update(map(type, each))
        if lists == 1 and all_plain(kinds):
            return False
    failed = False
    for place, value in enumerate(values):
        made = _single(value)
        if type(made) not in _NO_LIST:
            made = await _listed(made, where)
            if type(made) is not Failure:
                failed = await regular(made, lists - 1, where) or failed
        failed = failed or type(made) is Failure
        values[place] = made
    return failed


def _awaits(value: Any) -> bool:
    kind: Any = type(value)
    return not is_plain(kind) and is_awaitable(value)


def _single(value: Any) -> Any:
    if value is Undefined:
        return None
    return Failure(value) if isinstance(value, Exception) else value


async def _listed(value: Any, where: str) -> Any:
    """A list of what a value gives when it is gone through; a Failure when that cannot be, or ends in an exception."""
    try:
        if hasattr(value, "__aiter__"):
            items = [each async for each in value]
        elif is_iterable(value):
            items = list(value)
        else:
            return Failure(GraphQLError(f"Expected Iterable, but did not find one for field '{where}'."))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this list's error
        return Failure(error)
    waiting = [(items, place) for place, each in enumerate(items) if _awaits(each)]
    if waiting:
        await await_all(waiting)
    return items


def flat(values: list[Any], lists: int) -> list[Any]:
    """The objects in regular values, in order; but for those that are Written."""
    if not lists:
        if _no_gaps(set(map(type, values))):
            return values
        return [each for each in values if each is not None and type(each) is not Failure and type(each) is not Written]
    if lists == 1 and None not in values:
        try:
            found = list(chain.from_iterable(values))
        except TypeError:  # a Failure among them, or something Written
            pass
        else:
            return found if _no_gaps(set(map(type, found))) else flat(found, 0)
    objects: list[Any] = []
    for each in values:
        if type(each) is list:
            objects.extend(flat(each, lists - 1))
    return objects


def _no_gaps(kinds: set[type]) -> bool:
    return NoneType not in kinds and Failure not in kinds and Written not in kinds


def rebuilt(values: Iterable[Any], lists: int, answers: Iterator[Any]) -> list[Any]:
    """The same values, with the next of the answers in the place of each object."""
    if not lists:
        return [each if each is None or type(each) is Failure or type(each) is Written else next(answers) for each in values]
    return [rebuilt(each, lists - 1, answers) if type(each) is list else each for each in values]


def awaitables(values: list[Any]) -> list[tuple[list[Any], int]]:
    """The places of values that must be awaited."""
    if all_plain(set(map(type, values))):
        return []
    return [(values, place) for place, each in enumerate(values) if _awaits(each)]
