"""Loaders of rows: many keys in one statement, filtered by what the viewer may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.json_sql import Template
from db.query_compiler import Prefetch, Query
from db.rows import Carried, Row, carried
from execution.loaders import Loader, Projection, RowPaths
from execution.time_slices import sliced
from resolvers.context import Context
from resolvers.json_rows import keep_linked, linked, linked_values, writes, written_texts

__all__ = ["by_key", "from_statement", "lists_from_statement"]


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a loader's rows come from: a query's key of this name, and the class of its rows."""

    query: Query
    key: str
    carried: type[Carried]


# For so few keys a row that rides along is cheaper than a statement of its own; for more, it would come again and again.
_FEW = 4


def by_key(query: Query, row: type[Row], key: str = "id", column: str = "id") -> Loader:
    """Makes a loader of single rows by a key of the query; rows carry the key in `column`.

    It prefetches rows that the operation selects below: as JSON where that is possible, and as rows for few keys.
    """

    async def batch(context: Context, keys: Sequence[Any], _: None, projection: Projection) -> list[Any]:
        if projection.json_template is not None:
            written = await _written(context, query, key, projection.json_template, keys)
            if written is not None:
                return written
        single = len(keys) == 1
        wanted = None if projection.columns is None else projection.columns | {column}
        objects = [each for each in projection.prefetches if each.projection.json_template is not None]
        cargo = [each for each in projection.prefetches if each.projection.json_template is None] if len(keys) <= _FEW else []
        along = tuple(Prefetch(each.column, each.loader.origin.query, each.loader.origin.key, each.projection.columns) for each in cargo)
        statement = query.by(key, context.unrestricted_nouns, wanted, along, linked(objects), single=single)
        asked = {"key": keys[0]} if single else {"keys": keys}
        found = {each[column]: each for each in await context.rows(statement, row, asked | linked_values(objects))}
        keep_linked(context.loaders, objects, found.values())
        for number, each in enumerate(cargo):
            made = context.loaders.of(each.loader, None, each.projection)
            for one in found.values():
                if one[each.column] is not None:
                    made.prime(one[each.column], each.loader.origin.carried.of(one, f"{number}."))
        return [found.get(each) for each in keys]

    origin = _Origin(query, key, carried(row))
    return Loader(
        batch, f"{query.name} by {key}", row_paths=RowPaths(), can_prefetch=True, origin=origin, writes=writes(row), type_name=row.type_name
    )


async def _written(context: Context, query: Query, key: str, template: Template, keys: Sequence[Any]) -> list[Any] | None:
    """Returns the rows of these keys as JSON, None for rows that the viewer may not see. Returns None if a row cannot be written as JSON."""
    if len(keys) == 1:
        statement = query.written_by(key, template, context.unrestricted_nouns, single=True)
        found = await context.rows(statement, Row, {"key": keys[0]} | template.parameters)
        texts = written_texts([each["written"] for each in found])
        return None if texts is None else texts or [None]
    [answer] = await context.rows(query.written_by(key, template, context.unrestricted_nouns), Row, {"keys": keys} | template.parameters)
    texts = written_texts(answer["written"] or ())
    if texts is None:
        return None
    known = dict(zip(answer["keys"] or (), texts, strict=True))
    return [known.get(each) for each in keys]


def from_statement(query: Query, row: type[Row], *, column: str = "key") -> Loader:
    """Makes a loader of single rows from a statement that takes `$keys` and the loader's argument by name; rows carry their key in `column`."""

    async def batch(context: Context, keys: Sequence[UUID], arguments: tuple[tuple[str, Any], ...] | None) -> list[Row | None]:
        found = {each[column]: each for each in await context.fetch(query, row, keys=keys, **dict(arguments or ()))}
        return [found.get(each) for each in keys]

    return Loader(batch, query.name, type_name=row.type_name)


def lists_from_statement(query: Query, row: type[Row], *, column: str = "key") -> Loader:
    """Makes a loader of short lists, bounded by the statement itself: the rows of each key, in the statement's order."""

    async def batch(context: Context, keys: Sequence[UUID], arguments: tuple[tuple[str, Any], ...] | None) -> list[list[Row]]:
        found: dict[UUID, list[Row]] = {key: [] for key in keys}
        async for some in sliced(await context.fetch(query, row, keys=keys, **dict(arguments or ())), 1_000):
            for each in some:
                found[each[column]].append(each)
        return [found[key] for key in keys]

    return Loader(batch, query.name)
