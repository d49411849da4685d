"""The routes that payment gateways call."""

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
    """`POST /webhooks/<name>` for each adapter.

    200 says that an event is kept, whatever came of it: the gateway need not send it again. 400: it is not the gateway's, or no event.
    503 while no secret is set, and while the database is away: the gateway comes again later.
    """
    return [Route(f"/webhooks/{each.name}", _endpoint(each, database, now, max_body_bytes), methods=["POST"]) for each in adapters]


def _endpoint(
    adapter: Adapter, database: Callable[[], Database], now: Callable[[], datetime], max_body_bytes: int
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not adapter.is_set_up:
            return _refused(503, "GATEWAY_NOT_SET_UP", f"No secret of {adapter.name}'s is set here.")
        try:
            told = adapter.read(request.headers, await read_body(request.scope, request.receive, max_body_bytes), now())
        except Refusal as refusal:
            return _refused(413, refusal.code, refusal.message)
        except NotGenuineError as error:
            _log.warning("a request to a gateway's route is not genuine", gateway=adapter.name, why=str(error))
            return _refused(400, "SIGNATURE_NOT_VALID", f"It is not signed by {adapter.name}: {error}.")
        except UnreadableError as error:
            _log.warning("a gateway's event is not readable", gateway=adapter.name, why=str(error))
            return _refused(400, "EVENT_NOT_VALID", "It is signed, and no event that can be read.")
        if told is None:
            _log.info("a gateway's event is of no interest", gateway=adapter.name)
            return response({"received": True, "state": "IGNORED"})
        state = await receive_event(database(), request.state.request_id, told)
        return response({"received": True, "state": state or "KNOWN"})

    return endpoint


def _refused(status: int, code: str, message: str) -> Response:
    headers = {"Retry-After": "60"} if status == 503 else {}
    return response({"errors": [{"message": message, "extensions": {"code": code}}]}, status=status, headers=headers)
