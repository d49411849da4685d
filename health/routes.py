"""Defines the health routes, each also under /api/v1. Their responses are a contract: docs/health.md."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from health.checks import Health, now
from health.report import UNHEALTHY, to_json

__all__ = ["health_routes"]

Handler = Callable[[Request], Awaitable[Response]]

# Authentication may need the database, and these routes must respond even if it does not.
_GUARD_SECONDS = 2.0


def health_routes(find: Callable[[], Health], guard: Callable[[Request], Awaitable[Response | None]]) -> list[Route]:
    """Returns the routes. `find` returns the process's Health; `guard` returns an error response for unauthorized requests, or None."""

    async def basic(_: Request) -> Response:
        health = find()
        return _json(
            {
                "status": "healthy",
                "timestamp": to_json(now()),
                "uptime": health.uptime,
                "environment": health.environment,
                "version": health.version,
            }
        )

    async def live(_: Request) -> Response:
        return _json({"status": "alive", "timestamp": to_json(now()), "uptime": find().uptime})

    async def ready(_: Request) -> Response:
        reason = await find().not_ready_reason()
        if reason is None:
            return _json({"status": "ready", "timestamp": to_json(now())})
        return _json({"status": "not_ready", "timestamp": to_json(now()), "reason": reason}, 503)

    async def detailed(_: Request) -> Response:
        report = await find().detailed()
        return _json(to_json(report), 503 if report.status == UNHEALTHY else 200)

    async def database(_: Request) -> Response:
        report = await find().database()
        return _json(to_json(report), 503 if report.status == UNHEALTHY else 200)

    def guarded(handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            authorization = asyncio.ensure_future(guard(request))
            # Not asyncio.timeout(), which waits until the cancelled task has released its connection; that may take equally long.
            done, _ = await asyncio.wait({authorization}, timeout=_GUARD_SECONDS)
            if not done:
                authorization.add_done_callback(lambda late: late.cancelled() or late.exception())
                authorization.cancel()
                error = {
                    "message": "The token cannot be verified because the database does not respond. Try again.",
                    "extensions": {"code": "DATABASE_UNAVAILABLE"},
                }
                return _json({"errors": [error]}, 503)
            return authorization.result() or await handler(request)

        return checked

    handlers: dict[str, Handler] = {
        "/health": basic,
        "/health/live": live,
        "/health/ready": ready,
        "/health/detailed": guarded(detailed),
        "/health/database": guarded(database),
    }
    return [Route(prefix + path, handler, methods=["GET"]) for prefix in ("", "/api/v1") for path, handler in handlers.items()]


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store"}, "application/json")
