"""Starts and stops everything in order: the database, then the workers; the workers, then the database.

python -m serve
"""

import asyncio
import os
import signal
import sys
import time
from socket import socket
from types import FrameType

import uvicorn
from psycopg import OperationalError
from uvicorn.supervisors import multiprocess

from config import ConfigurationError, Settings, load_settings
from db.binaries import StartError
from db.embedded import die_with_parent
from db.migrate import MigrationError
from db.prepare import Prepared, prepared
from telemetry.logs import configure_logs

__all__ = ["DrainingServer", "main"]

_SIGN_INS = ("admin", "bursar", "teacher", "student", "guardian")
_QUERY = "{ viewer { role } students(first: 3) { totalCount nodes { name class { name } } } }"


class DrainingServer(uvicorn.Server):
    """On SIGTERM says `not_ready` first, for as long as load balancers need to notice, and only then stops listening."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        notice = load_settings().drain_notice_seconds
        app = self.config.loaded_app if self.config.loaded else None
        services = getattr(getattr(_innermost(app), "state", None), "services", None)
        if sig != signal.SIGTERM or services is None or services.health.draining or notice == 0:
            super().handle_exit(sig, frame)
            return
        services.health.draining = True
        self._captured_signals.append(sig)
        asyncio.get_running_loop().call_later(notice, setattr, self, "should_exit", True)


class _Worker(multiprocess.Process):
    """One of several workers: it drains as a single one does, and does not outlive the process that started it."""

    def target(self, sockets: list[socket] | None = None) -> None:
        die_with_parent()
        configure_logs(load_settings())
        super().target(sockets)

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = DrainingServer(config=self.config)
        return self._server


def _innermost(app: object) -> object:
    while not hasattr(app, "state") and hasattr(app, "app"):
        app = app.app
    return app


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "server:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies) or None,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=2048,
    )


def _greeting(settings: Settings, database: Prepared) -> str:
    base = f"http://{settings.host}:{settings.port}"
    lines = [f"Rollcall is at {base}  (GraphQL: {base}/graphql, explorer: {base}/explorer)"]
    if database.has_demo and settings.environment != "production":
        lines += ["Sign in, password rollcall-demo, as:", *(f"  {role}@demo.school" for role in _SIGN_INS)]
        lines += [
            "A first query: sign in, then ask.",
            f"""  TOKEN=$(curl -s {base}/graphql -H 'content-type: application/json' -d '{{"query":"mutation {{ signIn(input: {{email: \\"admin@demo.school\\", password: \\"rollcall-demo\\"}}) {{ session {{ accessToken }} }} }}"}}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')""",
            f"""  curl -s {base}/graphql -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{{"query":"{_QUERY}"}}'""",
        ]
    return "\n".join(lines)


def _serve(settings: Settings, database: Prepared) -> int:
    # The workers read their settings from the environment, as everybody does.
    os.environ["DATABASE_URL"] = database.url
    load_settings.cache_clear()
    config = _config(load_settings())
    config.configure_logging()
    listening = config.bind_socket()
    server = DrainingServer(config)
    if settings.workers > 1:
        print(_greeting(settings, database), flush=True)
        multiprocess.Process = _Worker  # type: ignore[misc]  # the supervisor offers no other way to name its workers' class
        multiprocess.Multiprocess(config, sockets=[listening]).run()
        return 0
    started = server.startup

    async def startup(sockets: object = None) -> None:
        await started(sockets)  # type: ignore[arg-type]
        if server.started:
            print(_greeting(settings, database), flush=True)

    server.startup = startup  # type: ignore[method-assign,assignment]  # what a person reads comes when it is true
    server.run(sockets=[listening])
    return 0 if server.started else 3


def main() -> None:
    began = time.monotonic()
    try:
        settings = load_settings()
        configure_logs(settings)
        # A SIGTERM before the workers run (while migrating, seeding) leaves through the same door as Ctrl-C.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with prepared(settings, say=lambda text: print(f"{text} ({time.monotonic() - began:.1f} s)", flush=True)) as database:
            code = _serve(settings, database)
    except (ConfigurationError, MigrationError, StartError) as error:
        sys.exit(f"Rollcall did not start: {error}")
    except OperationalError as error:
        sys.exit(f"Rollcall did not start: the database cannot be reached: {error}")
    except KeyboardInterrupt:
        code = 0
    sys.exit(code)


if __name__ == "__main__":
    main()
