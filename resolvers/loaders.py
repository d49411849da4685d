"""Loaders of rows: many keys in one statement, filtered by what the viewer may see."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from db.json_sql import KeySource, is_regular
from db.query_compiler import Query
from db.result_columns import JSON, KEY, KEYS, json_column
from db.rows import Row
from execution.loaders import Loader, Prefetch, Projection, RowPaths
from execution.raw_json import RawJson
from execution.run.dataloaders import RequestLoaders
from execution.time_slices import sliced
from json_tree import JsonObject, ToOne
from resolvers.context import Context

__all__ = ["by_key", "from_statement", "json_columns", "lists_from_statement", "prime", "raw_json"]


# For up to this many keys it is cheaper to join a row than to run a statement for it; for more keys it would be repeated too often.
_FEW = 4


def by_key(query: Query, row: type[Row], key: str = "id", column: str = "id") -> Loader:
    """Makes a loader of single rows by a key of the query; rows carry the key in `column`.

    It prefetches rows that the operation selects below, where they can come as JSON.
    """

    async def batch(context: Context, keys: Sequence[Any], _: None, projection: Projection) -> list[Any]:
        if projection.json_object is not None:
            objects = await _json_by_key(context, query, key, projection.json_object, keys)
            if objects is not None:
                return objects
        single = len(keys) == 1
        wanted = None if projection.columns is None else projection.columns | {column}
        statement = query.by(key, context.unrestricted_nouns, wanted, json_columns(projection.prefetches), single=single)
        asked = {"key": keys[0]} if single else {"keys": keys}
        found = {each[column]: each for each in await context.rows(statement, row, asked)}
        prime(context.loaders, projection.prefetches, found.values())
        return [found.get(each) for each in keys]

    return Loader(
        batch, f"{query.name} by {key}", row_paths=RowPaths(), can_prefetch=True, source=KeySource(query, key, row), type_name=row.type_name
    )


async def _json_by_key(context: Context, query: Query, key: str, tree: JsonObject, keys: Sequence[Any]) -> list[Any] | None:
    """Returns the rows of these keys as JSON, None for rows that the viewer may not see. Returns None if a row cannot be written as JSON."""
    if len(keys) == 1:
        found = await context.rows(query.json_by(key, tree, context.unrestricted_nouns, single=True), Row, {"key": keys[0]})
        objects = raw_json([each[JSON] for each in found])
        return None if objects is None else objects or [None]
    [answer] = await context.rows(query.json_by(key, tree, context.unrestricted_nouns), Row, {"keys": keys})
    objects = raw_json(answer[JSON] or ())
    if objects is None:
        return None
    known = dict(zip(answer[KEYS] or (), objects, strict=True))
    return [known.get(each) for each in keys]


def json_columns(prefetches: Iterable[Prefetch]) -> tuple[ToOne, ...]:
    """Returns the columns of a statement that serialise these rows."""
    return tuple(
        ToOne("", each.column, each.projection.json_object, nullable=False)
        for each in prefetches
        if each.projection.json_object is not None
    )


def prime(loaders: RequestLoaders, prefetches: Iterable[Prefetch], rows: Iterable[Any]) -> None:
    """Gives the loaders of these edges what the statement's rows have of them in `json_columns`.

    They fetch a row that could not be serialised themselves.
    """
    for number, each in enumerate(prefetches):
        loader = loaders.of(each.loader, None, each.projection)
        column, name = each.column, json_column(number)
        for row in rows:
            text = row[name]
            if row[column] is not None and (text is None or is_regular(text)):
                loader.prime(row[column], None if text is None else RawJson(text))


def raw_json(texts: Iterable[str]) -> list[RawJson] | None:
    """Returns what a statement serialised; None when it could not serialise a row, and the rows must be fetched to say why."""
    found = list(texts)
    return [RawJson(each) for each in found] if all(map(is_regular, found)) else None


def from_statement(query: Query, row: type[Row], *, column: str = KEY) -> Loader:
    """Makes a loader of single rows from a statement that takes `$keys` and the loader's argument by name; rows carry their key in `column`."""

    async def batch(context: Context, keys: Sequence[UUID], arguments: tuple[tuple[str, Any], ...] | None) -> list[Row | None]:
        found = {each[column]: each for each in await context.fetch(query, row, keys=keys, **dict(arguments or ()))}
        return [found.get(each) for each in keys]

    return Loader(batch, query.name, type_name=row.type_name)


def lists_from_statement(query: Query, row: type[Row], *, column: str = KEY) -> Loader:
    """Makes a loader of short lists, bounded by the statement itself: the rows of each key, in the statement's order."""

    async def batch(context: Context, keys: Sequence[UUID], arguments: tuple[tuple[str, Any], ...] | None) -> list[list[Row]]:
        found: dict[UUID, list[Row]] = {key: [] for key in keys}
        async for some in sliced(await context.fetch(query, row, keys=keys, **dict(arguments or ())), 1_000):
            for each in some:
                found[each[column]].append(each)
        return [found[key] for key in keys]

    return Loader(batch, query.name)
