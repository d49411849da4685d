"""Builds a GraphQL endpoint with a small schema, whose operations record in `RAN` that they ran."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import strawberry
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import Info

from execution.costs import PAGE
from execution.documents.limits import Limits
from execution.errors import ErrorWriter, Refusal
from execution.operations import graphql_core
from tests.transport.asgi_client import NEW, ask
from transport.graphql_http import GraphQLEndpoint
from transport.headers import header

JSON = "application/json"


RAN: list[str] = []


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, text: str = "hello") -> str:
        return text

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the secret ingredient")

    @strawberry.field
    def refused(self) -> str:
        raise Refusal("FORBIDDEN", "Not for you.")

    @strawberry.field
    async def cancelled(self) -> str:
        raise asyncio.CancelledError

    @strawberry.field
    async def who(self, info: Info) -> str:
        await asyncio.sleep(0)
        return str(info.context)

    @strawberry.field(metadata={PAGE: (25, 100)})
    def things(self, first: int = 25) -> "list[Query]":
        return []


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> bool:
        RAN.append("write")
        return True

    @strawberry.mutation
    def say(self, text: str) -> str | None:
        RAN.append("say")
        if text == "broken":
            raise RuntimeError("the secret ingredient")
        return text


SCHEMA = strawberry.Schema(Query, Mutation)._schema


CORE = graphql_core(SCHEMA, StrawberryGraphQLCoreExecutionContext, optimized_is_awaitable)


async def make_context(scope: Any) -> str:
    match header(scope, b"authorization"):
        case "bad":
            raise Refusal("UNAUTHENTICATED", "No.")
        case "slow":
            raise Refusal("RATE_LIMITED", "Wait.", retryAfter=7)
        case "busy":
            raise TimeoutError
        case "broken":
            raise ValueError("the secret ingredient")
        case other:
            return other or "nobody"


def endpoint(**options: Any) -> GraphQLEndpoint:
    errors = ErrorWriter(lambda error: Refusal("POOL_TIMEOUT", "Busy.") if isinstance(error, TimeoutError) else None)
    execute = options.pop("execute", CORE)
    return GraphQLEndpoint(SCHEMA, execute, make_context, errors, **{"limits": Limits(), "max_body_bytes": 2_000} | options)


APP = endpoint()


async def get(app: Any, **parameters: str) -> Any:
    return await ask(app, "GET", [b""], {"accept": NEW}, urlencode(parameters))
