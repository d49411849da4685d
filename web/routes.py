"""The explorer: GraphiQL, served from here with everything it needs."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

__all__ = ["EXPLORER", "explorer_routes"]

EXPLORER = "/explorer"
_ASSETS = Path(__file__).parent / "assets"
# Nothing from other hosts. GraphiQL's editor makes its style elements in the page and its workers from blobs.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def explorer_routes() -> list[BaseRoute]:
    """The page at /explorer, and its assets below it."""

    async def page(_: Request) -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return FileResponse(_ASSETS / "explorer.html", headers=headers)

    return [Route(EXPLORER, page, methods=["GET"]), Mount(EXPLORER, StaticFiles(directory=_ASSETS))]
