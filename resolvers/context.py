"""What a request carries: who asks, how far they see, the database, the loaders."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from auth.capabilities import NOUNS, unrestricted_nouns
from auth.client_address import UNKNOWN_CLIENT, Client
from auth.viewer import Viewer
from auth.visible_ids import Reach, read_reach
from db.json_sql import Template
from db.pool import Database
from db.query_compiler import Prefetch, Query, Statement
from db.rows import Carried, Row, carried
from execution.loaders import Loader, Rows, Wants
from execution.run.dataloaders import Loaders
from execution.time_slices import sliced
from resolvers.json_rows import keep_linked, linked, linked_values, writes, written_texts

__all__ = ["Context", "by_key", "from_statement", "lists_from_statement"]

R = TypeVar("R", bound=Row)


class Context:
    """One request's: made when it comes, gone when it is answered. Shared by nothing."""

    def __init__(self, database: Database, viewer: Viewer, request_id: str, services: Any = None, client: Client = UNKNOWN_CLIENT) -> None:
        self.database = database
        self.viewer = viewer
        self.request_id = request_id
        self.services = services
        self.client = client
        self.loaders = Loaders(self)
        self.open = unrestricted_nouns(viewer)
        self._reach: asyncio.Future[Reach] | None = None

    async def reach(self) -> Reach:
        """The viewer's reach, read when first needed: at most one statement a request."""
        if self._reach is None:
            self._reach = asyncio.ensure_future(read_reach(self.database, self.viewer))
        # Several fields wait for it: one of them that is cancelled must not take it from the others.
        return await asyncio.shield(self._reach)

    def close(self) -> None:
        """The request was answered or given up: what it still has running ends."""
        self.loaders.close()
        if self._reach is not None:
            self._reach.cancel()

    def forget(self) -> None:
        """A mutation changed links: what is read next sees them."""
        self._reach = None
        self.loaders.clear()

    async def rows(self, statement: Statement, row: type[R], values: dict[str, Any]) -> list[R]:
        """Runs a compiled statement on the pool. Values go in by name; the viewer's reach is added where it is asked for."""
        reach = await self.reach() if statement.needs_reach else None
        return await self.database.fetch(statement.sql, *statement.arguments(values, reach), record_class=row)

    async def fetch(self, query: Query, row: type[R], **values: Any) -> list[R]:
        """The rows of a named statement that this viewer may see."""
        return await self.rows(query.statement(self.open), row, values)

    async def fetch_one(self, query: Query, row: type[R], **values: Any) -> R | None:
        """The first row of a named statement, None when there is none that this viewer may see."""
        found = await self.fetch(query, row, **values)
        return found[0] if found else None

    @property
    def sees_everything(self) -> bool:
        return self.open is NOUNS


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a loader's rows come from: a query's key of this name, and the class of its rows."""

    query: Query
    key: str
    carried: type[Carried]


# For so few keys a row that rides along is cheaper than a statement of its own; for more, it would come again and again.
_FEW = 4


def by_key(query: Query, row: type[Row], key: str = "id", column: str = "id") -> Loader:
    """A loader of single rows: its keys are values of the query's key of this name, which the rows carry in `column`.

    It brings along the rows that will be asked for next, as far as the viewer sees them: as JSON, where they may be written; for few keys also
    as rows.
    """

    async def batch(context: Context, keys: Sequence[Any], _: None, wants: Wants) -> list[Any]:
        if wants.written is not None:
            written = await _written(context, query, key, wants.written, keys)
            if written is not None:
                return written
        single = len(keys) == 1
        wanted = None if wants.columns is None else wants.columns | {column}
        objects = [each for each in wants.cargo if each.wants.written is not None]
        cargo = [each for each in wants.cargo if each.wants.written is None] if len(keys) <= _FEW else []
        along = tuple(Prefetch(each.column, each.loader.origin.query, each.loader.origin.key, each.wants.columns) for each in cargo)
        statement = query.by(key, context.open, wanted, along, linked(objects), single=single)
        asked = {"key": keys[0]} if single else {"keys": keys}
        found = {each[column]: each for each in await context.rows(statement, row, asked | linked_values(objects))}
        keep_linked(context.loaders, objects, found.values())
        for number, each in enumerate(cargo):
            made = context.loaders.of(each.loader, None, each.wants)
            for one in found.values():
                if one[each.column] is not None:
                    made.know(one[each.column], each.loader.origin.carried.of(one, f"{number}."))
        return [found.get(each) for each in keys]

    origin = _Origin(query, key, carried(row))
    return Loader(batch, f"{query.name} by {key}", rows=Rows(), carrier=True, origin=origin, writes=writes(row))


async def _written(context: Context, query: Query, key: str, template: Template, keys: Sequence[Any]) -> list[Any] | None:
    """The rows with these keys as JSON, None for those that this viewer does not see; None when a row cannot be written."""
    if len(keys) == 1:
        statement = query.written_by(key, template, context.open, single=True)
        found = await context.rows(statement, Row, {"key": keys[0]} | template.parameters)
        texts = written_texts([each["written"] for each in found])
        return None if texts is None else texts or [None]
    [answer] = await context.rows(query.written_by(key, template, context.open), Row, {"keys": keys} | template.parameters)
    texts = written_texts(answer["written"] or ())
    if texts is None:
        return None
    known = dict(zip(answer["keys"] or (), texts, strict=True))
    return [known.get(each) for each in keys]


def from_statement(query: Query, row: type[Row], *, column: str = "key") -> Loader:
    """A loader of single rows from a plain statement that takes `$keys`, and what the argument holds by name; rows say in `column` whose they are."""

    async def batch(context: Context, keys: Sequence[UUID], arguments: tuple[tuple[str, Any], ...] | None) -> list[Row | None]:
        found = {each[column]: each for each in await context.fetch(query, row, keys=keys, **dict(arguments or ()))}
        return [found.get(each) for each in keys]

    return Loader(batch, query.name)


def lists_from_statement(query: Query, row: type[Row], *, column: str = "key") -> Loader:
    """Like `from_statement`, for short lists that the statement itself bounds: the rows of each key, in the statement's order."""

    async def batch(context: Context, keys: Sequence[UUID], arguments: tuple[tuple[str, Any], ...] | None) -> list[list[Row]]:
        found: dict[UUID, list[Row]] = {key: [] for key in keys}
        async for some in sliced(await context.fetch(query, row, keys=keys, **dict(arguments or ())), 1_000):
            for each in some:
                found[each[column]].append(each)
        return [found[key] for key in keys]

    return Loader(batch, query.name)
