"""Assembles the ASGI application: lifespan, middleware, routes. The only module that imports every package."""

import asyncio
import sys
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Scope
from starlette_compress import CompressMiddleware
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

import process_memory
from auth.authenticator import Authenticator
from auth.capabilities import Capability, has_capability
from auth.client_address import Client
from auth.viewer import ANONYMOUS
from config import Settings, load_settings
from db.pool import Database
from execution.breadth_first import BreadthFirst
from execution.documents.document_cache import is_mutation
from execution.documents.limits import Limits
from execution.errors import ErrorWriter
from execution.operations import Operation, graphql_core
from execution.serial_worker import SWITCH_SECONDS, SerialWorker
from gateways.routes import gateway_routes
from gateways.stripe import Stripe
from health.checks import Health
from health.in_flight import InFlight, InFlightMiddleware
from health.routes import health_routes
from resolvers.context import Context
from resolvers.error_translation import to_refusal
from schema import make_schema
from schema.roots import require
from transport.admission import ADMISSION, Admission
from transport.compression import MIN_COMPRESSED_BYTES, CompressionMiddleware
from transport.connections import ConnectionLimits, Connections
from transport.cost_budget import CostBudgets
from transport.expensive_operations import ExpensiveOperations
from transport.graphql_http import GraphQLEndpoint, PathMount
from transport.headers import header
from transport.limited_connection import CONNECTIONS
from transport.request_id import RequestIdMiddleware
from transport.responses import http_exception_response, refusal_response, response
from web.routes import EXPLORER, explorer_routes

__all__ = ["Services", "create_app"]

_log = structlog.get_logger("rollcall.app")


@dataclass
class Services:
    """The objects that live as long as the process. The context of each request refers to them."""

    settings: Settings
    database: Database
    authenticator: Authenticator
    health: Health


def _budget_of(operation: Operation) -> Hashable | None:
    """Returns the key of the cost budget of an operation: the viewer, or the client's network if there is no user.

    Mutations without a user have no budget. They sign in, refresh a session or reset a password, and have limits of their own: the sign-ins of
    a school behind one address must not exhaust a budget.
    """
    context: Context = operation.context
    if context.viewer.user_id is not None:
        return context.viewer.user_id
    return None if is_mutation(operation.node) else context.client.network


def _flow_of(context: Context) -> Hashable:
    """Returns the flow of a request for fair queueing: the viewer, or the client's network if there is no user."""
    return context.viewer.user_id or context.client.network


def create_app(settings: Settings | None = None) -> Starlette:  # noqa: C901, PLR0915 - assembles the parts, without logic of its own
    """Creates the application. `DATABASE_URL` must be set, which launcher.py takes care of."""
    settings = settings or load_settings()
    if settings.database_url is None or settings.direct_url is None:
        raise RuntimeError("the application needs DATABASE_URL; `make run` starts a PostgreSQL and sets it")
    direct_url = settings.direct_url
    errors = ErrorWriter(to_refusal)
    in_flight = InFlight()
    expensive = ExpensiveOperations(settings.expensive_operations, above=settings.expensive_cost, within=settings.expensive_wait_seconds)
    connections = Connections(
        ConnectionLimits(
            header_seconds=settings.header_seconds,
            body_seconds=settings.body_seconds,
            idle_seconds=settings.idle_seconds,
            send_seconds=settings.send_seconds,
            url_bytes=settings.max_url_bytes,
            header_bytes=settings.max_header_bytes,
            connections=settings.max_connections,
            body_paths=("/graphql", "/webhooks/"),
        )
    )
    admission = Admission(
        settings.max_in_flight or settings.pool_max_size, settings.queue_seconds, unstarted=lambda: len(connections.starting)
    )

    @contextmanager
    def parked() -> Iterator[None]:
        with expensive.paused(), admission.paused():
            yield

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Connections | Admission]]:
        process_memory.tune_malloc()
        sys.setswitchinterval(SWITCH_SECONDS)
        database = await Database.open(settings, str(settings.database_url))
        authenticator = Authenticator(database, settings, direct_url, parked=parked)
        health = Health(database, str(settings.database_url), settings, lambda: in_flight.count)
        app.state.services = Services(settings, database, authenticator, health)
        health.start()
        await authenticator.start()
        process_memory.freeze_gc()
        trimming = asyncio.create_task(process_memory.trim_periodically())
        try:
            yield {CONNECTIONS: connections, ADMISSION: admission}
        finally:
            trimming.cancel()
            health.draining = True
            health.stop()
            worker.close()
            await authenticator.stop()
            await database.close()

    async def make_context(scope: Scope) -> Context:
        services: Services = app.state.services
        viewer = await services.authenticator.viewer(header(scope, b"authorization"))
        client = Client.of(scope["client"][0] if scope.get("client") else None, header(scope, b"user-agent"))
        return Context(services.database, viewer, scope["state"]["request_id"], services, client)

    async def guard(request: Request) -> Response | None:
        """Returns an error response if the viewer may not read the detailed health routes, or None."""
        try:
            viewer = await request.app.state.services.authenticator.viewer(request.headers.get("authorization"))
            require(viewer, Capability.READ_HEALTH)
        except Exception as error:
            refusal = errors.refusal(error)
            if refusal is None:
                raise
            return refusal_response(refusal)
        return None

    def may_introspect(context: Context) -> bool:
        return settings.environment != "production" or has_capability(context.viewer, Capability.MANAGE_SCHOOL)

    schema = make_schema(StrawberryGraphQLCoreExecutionContext)._schema
    suggest = settings.environment != "production"
    worker = SerialWorker(name="documents")
    limits = Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        aliases=settings.max_aliases,
        root_fields=settings.max_root_fields,
        cost=settings.max_cost,
        answer_bytes=settings.max_answer_bytes,
        fields=settings.max_fields,
    )
    core = graphql_core(schema, StrawberryGraphQLCoreExecutionContext, optimized_is_awaitable, suggest=suggest)
    graphql = GraphQLEndpoint(
        schema,
        BreadthFirst(schema, core, suggest=suggest, worker=worker, max_bytes=settings.max_answer_bytes)
        if settings.executor == "breadth_first"
        else core,
        make_context,
        errors,
        limits=limits,
        anonymous_limits=replace(
            limits,
            characters=min(limits.characters, settings.anonymous_max_characters),
            tokens=min(limits.tokens, settings.anonymous_max_tokens),
            fields=min(limits.fields, settings.anonymous_max_fields),
            cost=min(limits.cost, settings.anonymous_max_cost),
        ),
        admission=admission,
        is_anonymous=lambda context: context.viewer is ANONYMOUS,
        worker=worker,
        close=Context.close,
        max_body_bytes=settings.max_body_bytes,
        anonymous_max_body_bytes=settings.anonymous_max_body_bytes,
        may_introspect=may_introspect,
        suggest=suggest,
        explorer=EXPLORER if settings.serves_explorer else None,
        budgets=CostBudgets(settings.cost_per_minute) if settings.cost_per_minute else None,
        budget_of=_budget_of,
        flow_of=_flow_of,
        expensive=expensive,
    )

    def now() -> datetime:
        services: Services = app.state.services
        return services.authenticator.clock.now()

    async def home(_: Request) -> Response:
        return RedirectResponse(EXPLORER, 307)

    async def failed(scope: Scope, error: Exception) -> ASGIApp:
        refusal = errors.refusal(error)
        if refusal is None:
            return response({"errors": [errors.mask(error, scope["state"]["request_id"], path=scope["path"])]}, status=500)
        return refusal_response(refusal)

    middleware = [Middleware(RequestIdMiddleware, on_error=failed), Middleware(InFlightMiddleware, counter=in_flight)]
    if settings.cors_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type", "x-request-id"],
                expose_headers=["x-request-id", "x-request-cost", "x-cost-remaining", "retry-after"],
                max_age=600,
            )
        )
    middleware += [
        Middleware(PathMount, path="/graphql", endpoint=CompressionMiddleware(graphql)),
        Middleware(CompressMiddleware, minimum_size=MIN_COMPRESSED_BYTES),
    ]
    app = Starlette(
        routes=[
            *([Route("/", home)] if settings.serves_explorer else []),
            *health_routes(lambda: app.state.services.health, guard),
            *gateway_routes(
                [Stripe(settings.stripe_webhook_secrets)],
                lambda: app.state.services.database,
                now,
                max_body_bytes=settings.max_body_bytes,
            ),
            *(explorer_routes() if settings.serves_explorer else []),
        ],
        middleware=middleware,
        exception_handlers={HTTPException: http_exception_response},
        lifespan=lifespan,
    )
    # The redirect would use the request's Host header, which clients control.
    app.router.redirect_slashes = False
    return app
