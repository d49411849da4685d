"""Runs a plan breadth-first: at each depth every field is resolved for all its parents, and what is to wait for is awaited together.

What comes out is a tree of batches with regular values (values.py); fast.py makes the answer of it, or with_errors.py when something failed.
"""

import asyncio
from typing import Any

from graphql import GraphQLError, default_field_resolver
from graphql.execution.values import VariableValues

from execution.field_error import Failure
from execution.loaders import EVERYTHING
from execution.plan.arguments import arguments
from execution.plan.plans import Plan
from execution.plan.selections import Field, Kind
from execution.raw_json import Written
from execution.run.resolve_info import ResolveInfo
from execution.run.response_size import AnswerSize
from execution.run.scopes import Batch, Children
from execution.run.type_resolution import kinds_of
from execution.run.values import await_all, awaitables, flat, read, regular
from execution.time_slices import pause

__all__ = ["Run", "inline_value"]

# For more parents than this a field is resolved in slices, with a pause between them.
_AT_ONCE = 500
_SLICE = 100


class Run:
    """One operation's. `failed`: somewhere in the batches is a Failure."""

    def __init__(self, plan: Plan, variables: VariableValues, context: Any, root_value: Any = None, size: AnswerSize | None = None) -> None:
        self.size = size
        self.plan = plan
        self.variables = variables
        self.context = context
        self.root_value = root_value
        self.failed = False

    async def resolve(self, root: Batch) -> None:
        """Resolves everything below a batch."""
        level = [root]
        while level:
            waiting: list[tuple[list[Any], int]] = []
            wanted: dict[Any, list[tuple[Batch, Field, list[Any]]]] = {}
            for batch in level:
                if len(batch.parents) > _AT_ONCE:
                    await self._begin_many(batch, waiting, wanted)
                    continue
                for field in batch.selection.early:
                    self._begin(batch, field, waiting, wanted)
            if wanted or waiting:
                await self._wait(waiting, wanted)
            level = await self._below(level)

    async def _below(self, level: list[Batch]) -> list[Batch]:
        """Makes the values of a level regular. The batches of the objects that they lead to."""
        below: list[Batch] = []
        for batch in level:
            many = len(batch.parents) > _AT_ONCE
            for field in batch.selection.early:
                if many:
                    await pause()
                values = batch.values[field]
                if await regular(values, field.lists, field.where):
                    self.failed = True
                if not field.is_leaf:
                    below += await self._lead_on(batch, field)
        return below

    def _begin(self, batch: Batch, field: Field, waiting: list[tuple[list[Any], int]], wanted: dict[Any, list[Any]]) -> None:
        """Resolves a field as far as that goes without waiting."""
        if field.kind is Kind.EDGE:
            self._ask(batch, field, wanted)
        elif field.kind is Kind.ROOT:
            self._ask_at_root(batch, field, wanted)
        else:
            values = batch.values[field] = self._values(batch, field)
            waiting += awaitables(values)

    async def _begin_many(
        self, batch: Batch, waiting: list[tuple[list[Any], int]], wanted: dict[Any, list[tuple[Batch, Field, list[Any]]]]
    ) -> None:
        """Begins the fields of many parents: a function is called for some of them at a time."""
        for field in batch.selection.early:
            await pause()
            if field.kind not in (Kind.RESOLVER, Kind.COMPUTED):
                self._begin(batch, field, waiting, wanted)
                continue
            values: list[Any] = []
            for start in range(0, len(batch.parents), _SLICE):
                await pause()
                values += self._values(batch, field, range(start, min(start + _SLICE, len(batch.parents))))
            batch.values[field] = values
            waiting += awaitables(values)

    async def _wait(self, waiting: list[tuple[list[Any], int]], wanted: dict[Any, list[tuple[Batch, Field, list[Any]]]]) -> None:
        work = [self._load(made, asked) for made, asked in wanted.items()]
        if waiting:
            work.append(await_all(waiting))
        if len(work) == 1:
            await work[0]
        else:
            await asyncio.gather(*work)

    def _values(self, batch: Batch, field: Field, places: range | None = None) -> list[Any]:
        """A field's values for the parents at these places; None: for all."""
        if field.kind is Kind.COLUMN:
            return read(batch.parents, str(field.column))
        places = range(len(batch.parents)) if places is None else places
        if field.kind is Kind.RESOLVER:
            return self._called(batch, field, places)
        return [inline_value(field, batch.parents[place]) for place in places]

    def _called(self, batch: Batch, field: Field, places: range) -> list[Any]:
        """What a field's function gives for the parents at these places: values, awaitables, Failures."""
        resolve: Any = field.definition.resolve or default_field_resolver
        given = self.arguments(field)
        if isinstance(given, Failure):
            return [given] * len(places)
        values: list[Any] = []
        for place in places:
            try:
                values.append(resolve(batch.parents[place], ResolveInfo(self, field, batch, place), **given))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
                values.append(Failure(error))
        return values

    def arguments(self, field: Field) -> dict[str, Any] | Failure:
        try:
            return arguments(field.definition, field.nodes[0], self.variables, hide_suggestions=self.plan.hide_suggestions)
        except GraphQLError as error:
            return Failure(error)

    def _ask(self, batch: Batch, field: Field, wanted: dict[Any, list[tuple[Batch, Field, list[Any]]]]) -> None:
        """Notes which keys an edge needs of which loader. What needs none is answered at once."""
        edge = field.declared
        parents = batch.parents
        given = None if field.prepared is not None or edge.prepare is None else self._converted(field)
        if type(given) is Failure:
            batch.values[field] = [given] * len(parents)
            return
        values = read(parents, edge.key)
        prepared = self._prepared(field, given)
        failed = type(prepared) is Failure
        if failed:
            values = [each if type(each) is Failure else prepared for each in values]
        if edge.allowed is not None and edge.refuse is not None:
            for place, may in enumerate(read(parents, edge.allowed)):
                if type(may) is Failure:
                    values[place] = may
                elif not may:
                    values[place] = Failure(edge.refuse())
        batch.values[field] = values
        if not failed:
            self._want(batch, field, values, prepared, wanted)

    def _ask_at_root(self, batch: Batch, field: Field, wanted: dict[Any, list[tuple[Batch, Field, list[Any]]]]) -> None:
        """The same for a field of a root type, which has one parent."""
        asked = self._asked(field)
        if type(asked) is Failure:
            batch.values[field] = [asked]
            return
        key, arguments_ = asked
        values = batch.values[field] = [key]
        self._want(batch, field, values, arguments_, wanted)

    def _asked(self, field: Field) -> Any:
        """The key and the loader's arguments of a root field; a Failure when they don't fit, or whoever asks may not."""
        root = field.declared
        given = None if field.prepared is not None else self._converted(field)
        if type(given) is Failure:
            return given
        try:
            root.check(self.context)
            if given is None:
                return field.prepared
            asked = root.ask(**given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return Failure(error)
        if field.constant:
            field.prepared = asked
        return asked

    def _want(self, batch: Batch, field: Field, values: list[Any], prepared: Any, wanted: dict[Any, list[Any]]) -> None:
        made = self.context.loaders.of(field.declared.loader, prepared, self.plan.wants.get(field, EVERYTHING))
        wanted.setdefault(made, []).append((batch, field, values))

    def _converted(self, field: Field) -> Any:
        """A field's arguments as its function takes them; a Failure when they don't fit."""
        if field.plain is not None:
            coerced = self.variables.coerced
            plainly = {name: coerced.get(variable) for name, variable in field.plain.items()}
            if None not in plainly.values():
                return plainly
        given = self.arguments(field)
        if isinstance(given, Failure) or field.converter is None:
            return given
        try:
            return field.converter(given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return Failure(error)

    def _prepared(self, field: Field, given: Any) -> Any:
        """The arguments of an edge's loader; a Failure when its declaration refuses what was given."""
        prepare = field.declared.prepare
        if prepare is None or field.prepared is not None:
            return field.prepared
        try:
            prepared = prepare(None, **given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
            return Failure(error)
        if field.constant:
            field.prepared = prepared
        return prepared

    async def _load(self, made: Any, asked: list[tuple[Batch, Field, list[Any]]]) -> None:
        """Gets what several edges need of one loader, each key once, and puts it in the place of the keys."""
        try:
            keys = dict.fromkeys([key for _, _, values in asked for key in values if type(key) is not Failure])
        except TypeError:
            keys = dict.fromkeys([key for _, _, values in asked for key in _hashable(values) if type(key) is not Failure])
        keys.pop(None, None)
        found = await made.load_all(keys) if keys else {}
        if len(found) > _AT_ONCE:
            await pause()
        for batch, field, values in asked:
            batch.values[field] = [key if type(key) is Failure else found.get(key) for key in values]

    async def _lead_on(self, batch: Batch, field: Field) -> list[Batch]:
        """The batches of the objects that a field's values are or hold."""
        values = batch.values[field]
        objects = flat(values, field.lists)
        if self.size is not None and len(objects) < len(values):
            self.size.add(sum(len(each.text) for each in values if type(each) is Written))
        shared: dict[int, int] | None = None
        if len(objects) > 1 and field.shares:
            objects = list({id(each): each for each in objects}.values())
            shared = {id(each): place for place, each in enumerate(objects)}
        children = batch.children[field] = Children(objects, shared)
        if objects:
            await kinds_of(self, batch, field, children)
        return children.batches


def _hashable(values: list[Any]) -> list[Any]:
    """The same list, with a Failure in the place of each value that can be no key."""
    for place, value in enumerate(values):
        try:
            hash(value)
        except TypeError as error:
            values[place] = Failure(error)
    return values


def inline_value(field: Field, parent: Any) -> Any:
    """The value of a declared field that is a function of its parent alone; a Failure when it raises."""
    try:
        if field.kind is Kind.COMPUTED:
            return field.declared.function(parent)
        if field.kind is Kind.GUARD:
            if not getattr(parent, field.declared.allowed):
                return Failure(field.declared.refuse())
            return parent if field.column is None else getattr(parent, field.column)
        if field.kind is Kind.TYPENAME:
            return field.parent_type.name
        return getattr(parent, str(field.column))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
        return Failure(error)
