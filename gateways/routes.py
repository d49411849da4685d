"""Defines the webhook routes that payment gateways call."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.pool import Database
from execution.errors import Refusal
from gateways.adapter import Adapter, NotGenuineError, UnreadableError
from resolvers.writing.gateway_events import receive_event
from transport.request_params import read_body
from transport.responses import response

__all__ = ["gateway_routes"]

_log = structlog.get_logger("rollcall.gateways")


def gateway_routes(
    adapters: Sequence[Adapter], database: Callable[[], Database], now: Callable[[], datetime], *, max_body_bytes: int
) -> list[Route]:
    """Returns the route `POST /webhooks/<name>` for each adapter.

    Status 200: the event has been stored, whether or not it could be booked, and need not be sent again. 400: the request is not signed by the
    gateway, or is not an event. 503: no secret is configured, or the database is unavailable; the gateway will retry.
    """
    return [Route(f"/webhooks/{each.name}", _endpoint(each, database, now, max_body_bytes), methods=["POST"]) for each in adapters]


def _endpoint(
    adapter: Adapter, database: Callable[[], Database], now: Callable[[], datetime], max_body_bytes: int
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not adapter.is_set_up:
            return _error_response(503, "GATEWAY_NOT_SET_UP", f"No signing secret of {adapter.name} is configured on this server.")
        try:
            event = adapter.read(request.headers, await read_body(request.scope, request.receive, max_body_bytes), now())
        except Refusal as refusal:
            return _error_response(413, refusal.code, refusal.message)
        except NotGenuineError as error:
            _log.warning("a webhook request has no valid signature", gateway=adapter.name, reason=str(error))
            return _error_response(400, "SIGNATURE_NOT_VALID", f"The request has no valid signature of {adapter.name}: {error}.")
        except UnreadableError as error:
            _log.warning("a webhook event is malformed", gateway=adapter.name, reason=str(error))
            return _error_response(400, "EVENT_NOT_VALID", f"The request is signed, but it is not a valid event of {adapter.name}.")
        if event is None:
            _log.info("a webhook event was ignored", gateway=adapter.name)
            return response({"received": True, "state": "IGNORED"})
        state = await receive_event(database(), request.state.request_id, event)
        return response({"received": True, "state": state or "KNOWN"})

    return endpoint


def _error_response(status: int, code: str, message: str) -> Response:
    headers = {"Retry-After": "60"} if status == 503 else {}
    return response({"errors": [{"message": message, "extensions": {"code": code}}]}, status=status, headers=headers)
