"""The answer of batches in which nothing failed, from the leaves up: no paths, one generated function for each selection."""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from graphql import GraphQLNonNull

from execution.columns import composer
from execution.failures import IrregularError
from execution.running import Batch, Children
from execution.selections import Field, Kind
from execution.written import Written

__all__ = ["Composing"]

# So many objects are composed before others are looked at, and so long others may wait, in seconds.
_CHUNK = 500
_PATIENCE = 0.005


class Composing:
    """Composes answers, and lets others have their turn now and then."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = perf_counter()

    async def compose(self, batch: Batch) -> list[dict[str, Any]]:
        """One answer for each object of a batch. Raises something or other when the slow way must say what becomes of it."""
        kinds = set(map(type, batch.parents))
        make, given = composer(batch.selection, kinds.pop() if len(kinds) == 1 else None)
        columns = [await self._column(batch, field) for field in given]
        rows = batch.parents
        if len(rows) <= _CHUNK:
            return make(rows, *columns)
        answers: list[dict[str, Any]] = []
        for start in range(0, len(rows), _CHUNK):
            end = start + _CHUNK
            answers += make(rows[start:end], *[each[start:end] for each in columns])
            await self._pause()
        return answers

    async def _pause(self) -> None:
        if perf_counter() - self._since > _PATIENCE:
            await asyncio.sleep(0)
            self._since = perf_counter()

    async def _column(self, batch: Batch, field: Field) -> list[Any]:
        if field.kind is Kind.COMPUTED and field.inline:
            values: list[Any] = field.declared.many(batch.parents)
            return values
        values = batch.values[field]
        if field.is_leaf:
            return values
        if set(map(type, values)) == {Written}:
            return [each.fragment() for each in values]
        children = batch.children[field]
        answers = await self._answers(children)
        if children.shared is not None:
            by_identity = dict(zip(map(id, children.objects), answers, strict=True))
            by_identity |= {id(each): each.fragment() for each in values if type(each) is Written}
            values = list(map(by_identity.get, map(id, values)))
            if not field.nullable and None in values:
                raise IrregularError
            return values
        if not field.lists and len(answers) == len(values):
            return answers
        if field.lists == 1 and set(map(type, values)) == {list}:
            lengths = list(map(len, values))
            if sum(lengths) == len(answers):
                return _cut(answers, lengths)
        return _placed(values, field.type, iter(answers))

    async def _answers(self, children: Children) -> list[Any]:
        if children.where is None:
            return await self.compose(children.batches[0]) if children.batches else []
        made = {id(each): await self.compose(each) for each in children.batches}
        return [made[id(where[0])][where[1]] for where in children.where if type(where) is tuple]


def _cut(answers: list[Any], lengths: list[int]) -> list[list[Any]]:
    """A list in pieces of these lengths."""
    pieces = []
    start = 0
    for length in lengths:
        end = start + length
        pieces.append(answers[start:end])
        start = end
    return pieces


def _placed(values: list[Any], kind: Any, answers: Iterator[Any]) -> list[Any]:
    """Answers in the places of the objects in values of this type. Raises IrregularError for a null where none may be."""
    nullable = not isinstance(kind, GraphQLNonNull)
    inner = kind if nullable else kind.of_type
    item = getattr(inner, "of_type", None)
    if not nullable and any(each is None for each in values):
        raise IrregularError
    if item is None:
        return [each.fragment() if type(each) is Written else None if each is None else next(answers) for each in values]
    return [each.fragment() if type(each) is Written else None if each is None else _placed(each, item, answers) for each in values]
