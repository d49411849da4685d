"""The answer of batches in which nothing failed, from the leaves up: no paths, one generated function for each selection."""

from collections.abc import Iterator
from typing import Any

import orjson
from graphql import GraphQLNonNull

from execution.complete.codegen import composer
from execution.field_error import IrregularError
from execution.plan.selections import Field, Kind
from execution.raw_json import Written
from execution.run.response_size import AnswerSize
from execution.run.scopes import Batch, Children
from execution.time_slices import pause

__all__ = ["Composing"]

# More objects than this are composed in slices, with a pause between them.
_AT_ONCE = 500
_SLICE = 200


class Composing:
    """Composes answers of a bounded size, many objects in slices."""

    __slots__ = ("_size",)

    def __init__(self, size: AnswerSize) -> None:
        self._size = size

    async def compose(self, batch: Batch) -> list[Any]:
        """One answer for each object of a batch. Raises AnswerTooLargeError; any other exception when the slow way must say what becomes of it.

        Answers of many objects are JSON already: encoding them all at the end would hold the event loop.
        """
        kinds = set(map(type, batch.parents))
        make, given = composer(batch.selection, kinds.pop() if len(kinds) == 1 else None)
        columns = [await self._column(batch, field) for field in given]
        rows = batch.parents
        if len(rows) <= _AT_ONCE:
            return make(rows, *columns)
        answers: list[orjson.Fragment] = []
        size = self._size.part()
        for start in range(0, len(rows), _SLICE):
            await pause()
            end = start + _SLICE
            texts = list(map(orjson.dumps, make(rows[start:end], *[each[start:end] for each in columns])))
            size.add(sum(map(len, texts)))
            answers += map(orjson.Fragment, texts)
        return answers

    async def _column(self, batch: Batch, field: Field) -> list[Any]:
        if field.kind is Kind.COMPUTED and field.inline:
            return await _computed(batch, field)
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


async def _computed(batch: Batch, field: Field) -> list[Any]:
    """A computed field of all parents."""
    values: list[Any] = []
    for start in range(0, len(batch.parents), _AT_ONCE):
        if start:
            await pause()
        values += field.declared.many(batch.parents[start : start + _AT_ONCE])
    return values


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
