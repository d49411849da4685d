"""The context of a request: viewer, visible ids, database access and loaders."""

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
    """The context of one request, made when it arrives and dropped once it is answered. Nothing in it is shared between requests."""

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
        """Returns the ids that the viewer may reach, read on first use: at most one statement per request."""
        if self._reach is None:
            self._reach = asyncio.ensure_future(read_reach(self.database, self.viewer))
        # Several fields await it: cancelling one of them must not cancel it for the others.
        return await asyncio.shield(self._reach)

    def close(self) -> None:
        """Cancels what is still running for this request once it is answered or abandoned."""
        self.loaders.close()
        if self._reach is not None:
            self._reach.cancel()

    def invalidate(self) -> None:
        """Forgets what was read: after a mutation, later reads must see its changes."""
        self._reach = None
        self.loaders.clear()

    async def rows(self, statement: Statement, row: type[R], values: dict[str, Any]) -> list[R]:
        """Runs a compiled statement on the pool with `values` by name, adding the viewer's reach where the statement needs it."""
        reach = await self.reach() if statement.needs_reach else None
        return await self.database.fetch(statement.sql, *statement.arguments(values, reach), record_class=row)

    async def fetch(self, query: Query, row: type[R], **values: Any) -> list[R]:
        """Returns the rows of a named statement that the viewer may see."""
        return await self.rows(query.statement(self.unrestricted_nouns), row, values)

    async def fetch_one(self, query: Query, row: type[R], **values: Any) -> R | None:
        """Returns the first row of a named statement, or None if there is none that the viewer may see."""
        found = await self.fetch(query, row, **values)
        return found[0] if found else None
