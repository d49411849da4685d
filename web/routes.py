"""Serves the explorer: GraphiQL with all of its assets, without requests to other hosts."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

__all__ = ["EXPLORER", "explorer_routes"]

EXPLORER = "/explorer"
_ASSETS = Path(__file__).parent / "assets"
# Allows nothing from other hosts. GraphiQL's editor creates inline style elements, and workers from blobs.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def explorer_routes() -> list[BaseRoute]:
    """Returns the routes of the page at /explorer and of its assets below."""

    async def page(_: Request) -> Response:
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return FileResponse(_ASSETS / "explorer.html", headers=headers)

    return [Route(EXPLORER, page, methods=["GET"]), Mount(EXPLORER, StaticFiles(directory=_ASSETS))]
