"""Creates the application: strawberry.asgi in Starlette, with a connection pool in the lifespan.

STOCK_CACHES=1 adds the two caching extensions of the guide "Performance".
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache

from benchmarks.stock_strawberry.loaders import make_loaders
from benchmarks.stock_strawberry.types import Query

__all__ = ["create_app"]


class Endpoint(GraphQL):
    async def get_context(self, request: Request, response: Response) -> dict[str, Any]:
        pool = request.app.state.pool
        return {"request": request, "pool": pool, **make_loaders(pool)}


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=5, max_size=25) as pool:
        app.state.pool = pool
        yield


def create_app() -> Starlette:
    extensions = [ParserCache(), ValidationCache()] if os.environ.get("STOCK_CACHES") else []
    schema = strawberry.Schema(Query, extensions=extensions)
    return Starlette(routes=[Route("/graphql", Endpoint(schema, graphql_ide=None))], lifespan=lifespan)
