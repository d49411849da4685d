"""Compresses GraphQL responses. Requests that don't accept compression bypass the compressing middleware."""

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware

from transport.headers import header

__all__ = ["MIN_COMPRESSED_BYTES", "CompressionMiddleware"]

# Compressing shorter responses saves less than it costs.
MIN_COMPRESSED_BYTES = 1_000


class CompressionMiddleware:
    """Compresses the responses of `app` for requests with an Accept-Encoding header. `app` itself sends `Vary: Accept-Encoding`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = CompressMiddleware(app, minimum_size=MIN_COMPRESSED_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if header(scope, b"accept-encoding") is None else self._compressed
        await app(scope, receive, send)
