"""A request and its answer: uvicorn's cycle, whose failures are answered in JSON."""

import asyncio

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from transport.http_errors import HTTPError, error_response

__all__ = ["RequestCycle"]

_FAILED = HTTPError(500, "INTERNAL_SERVER_ERROR", "Something went wrong on our side.")
_SHUTTING_DOWN = HTTPError(503, "SERVER_SHUTTING_DOWN", "The server is being stopped. Send the request again.")


class RequestCycle(RequestResponseCycle):
    """One request. A task that the drain cancels answers that the server is being stopped; what the application let through is a 500."""

    async def run_asgi(self, app: ASGI3Application) -> None:
        try:
            await app(self.scope, self.receive, self.send)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            await self._fail(_SHUTTING_DOWN)
        except BaseException as error:
            self.logger.error("Exception in ASGI application", exc_info=error)
            await self._fail(_FAILED)
        else:
            if not self.response_complete and not self.disconnected:
                self.logger.error("the application returned without a whole answer")
                await self._fail(_FAILED)
        finally:
            self.on_response = lambda: None

    async def _fail(self, error: HTTPError) -> None:
        if self.response_started:
            self.transport.close()
            return
        headers, body = error_response(error)
        await self.send({"type": "http.response.start", "status": error.status, "headers": headers})  # type: ignore[typeddict-item]
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
