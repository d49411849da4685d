"""What a request carries: who asks, how far they see, the database, the loaders."""

import asyncio
from typing import Any, TypeVar

from auth.capabilities import unrestricted_nouns
from auth.client_address import UNKNOWN_CLIENT, Client
from auth.viewer import Viewer
from auth.visible_ids import Reach, read_reach
from db.pool import Database
from db.query_compiler import Query, Statement
from db.rows import Row
from execution.run.dataloaders import RequestLoaders

__all__ = ["Context"]

R = TypeVar("R", bound=Row)


class Context:
    """One request's: made when it comes, gone when it is answered. Shared by nothing."""

    def __init__(self, database: Database, viewer: Viewer, request_id: str, services: Any = None, client: Client = UNKNOWN_CLIENT) -> None:
        self.database = database
        self.viewer = viewer
        self.request_id = request_id
        self.services = services
        self.client = client
        self.loaders = RequestLoaders(self)
        self.unrestricted_nouns = unrestricted_nouns(viewer)
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

    def invalidate(self) -> None:
        """A mutation changed links: what is read next sees them."""
        self._reach = None
        self.loaders.clear()

    async def rows(self, statement: Statement, row: type[R], values: dict[str, Any]) -> list[R]:
        """Runs a compiled statement on the pool. Values go in by name; the viewer's reach is added where it is asked for."""
        reach = await self.reach() if statement.needs_reach else None
        return await self.database.fetch(statement.sql, *statement.arguments(values, reach), record_class=row)

    async def fetch(self, query: Query, row: type[R], **values: Any) -> list[R]:
        """The rows of a named statement that this viewer may see."""
        return await self.rows(query.statement(self.unrestricted_nouns), row, values)

    async def fetch_one(self, query: Query, row: type[R], **values: Any) -> R | None:
        """The first row of a named statement, None when there is none that this viewer may see."""
        found = await self.fetch(query, row, **values)
        return found[0] if found else None
