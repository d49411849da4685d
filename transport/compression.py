"""Compression of GraphQL answers, past which requests go that accept none."""

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware

from transport.headers import header

__all__ = ["MIN_COMPRESSED_BYTES", "CompressionMiddleware"]

# Shorter answers are not worth it.
MIN_COMPRESSED_BYTES = 1_000


class CompressionMiddleware:
    """Compresses the answers of `app` for clients that accept that. The application itself says `Vary: Accept-Encoding`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = CompressMiddleware(app, minimum_size=MIN_COMPRESSED_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if header(scope, b"accept-encoding") is None else self._compressed
        await app(scope, receive, send)
