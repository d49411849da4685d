"""Launches Rollcall: starts the database, then the workers, and stops them in reverse order.

python -m launcher
"""

import os
import signal
import socket
import sys
import time

import uvicorn

from auth.secret_key import load_or_create_secret_key
from config import ConfigurationError, Settings, load_settings
from db.bootstrap import ReadyDatabase, bootstrap
from db.cli import exit_on_error
from db.migrate import MigrationError
from http_server import DrainingServer, listeners
from telemetry.logs import configure_logs
from workers import STARTUP_FAILED, WorkerSupervisor

__all__ = ["main"]

_BACKLOG = 2048
_SIGN_INS = ("admin", "bursar", "teacher", "student", "guardian")
_QUERY = "{ viewer { role } students(first: 3) { totalCount nodes { name class { name } } } }"


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="transport.protocol:HTTPProtocol",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies) or None,
        timeout_graceful_shutdown=settings.drain_seconds,
        backlog=_BACKLOG,
    )


def _bound(settings: Settings) -> socket.socket:
    """Binds a socket to HOST and PORT, before anything else is started. Raises ConfigurationError."""
    bound = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        raise _address_error(settings, error) from None
    return bound


def _address_error(settings: Settings, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot listen on HOST and PORT ({settings.host}, port {settings.port}): {error.strerror}. Set another HOST or PORT."
    )


def _greeting(settings: Settings, database: ReadyDatabase, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{host}:{port}"
    explorer = f", explorer: {base}/explorer" if settings.serves_explorer else ""
    lines = [f"Rollcall is at {base}  (GraphQL: {base}/graphql{explorer})"]
    if database.has_demo and settings.environment != "production":
        lines += ["Sign in, password rollcall-demo, as:", *(f"  {role}@demo.school" for role in _SIGN_INS)]
        lines += [
            "A first query: sign in, then send it with the token.",
            f"""  TOKEN=$(curl -s {base}/graphql -H 'content-type: application/json' -d '{{"query":"mutation {{ signIn(input: {{email: \\"admin@demo.school\\", password: \\"rollcall-demo\\"}}) {{ session {{ accessToken }} }} }}"}}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')""",
            f"""  curl -s {base}/graphql -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{{"query":"{_QUERY}"}}'""",
        ]
    return "\n".join(lines)


def _serve(settings: Settings, database: ReadyDatabase, listening: socket.socket) -> int:
    # The workers read their settings from the environment.
    os.environ["DATABASE_URL"] = database.url
    if settings.secret_key is None:
        os.environ["SECRET_KEY"] = load_or_create_secret_key(settings.data_dir)
    load_settings.cache_clear()
    config = _config(load_settings())
    try:
        listening.listen(_BACKLOG)
    except OSError as error:  # another process had bound the address too, and listened first
        raise _address_error(settings, error) from None
    listening.set_inheritable(True)
    greeting = _greeting(settings, database, listening.getsockname()[1])

    def greet() -> None:
        print(greeting, flush=True)

    # The greeting is printed when the server has started, not before.
    if settings.workers > 1:
        return WorkerSupervisor(config, listening, settings.workers, greet).run()
    server = DrainingServer(config, on_started=greet)
    server.run(sockets=listeners(listening))
    return 0 if server.started else STARTUP_FAILED


def main() -> None:
    began = time.monotonic()
    failures: list[str] = []

    def on_give_up(reason: str) -> None:
        """Ends this process because the embedded PostgreSQL cannot be kept running. The service manager may start it again."""
        failures.append(reason)
        os.kill(os.getpid(), signal.SIGTERM)

    def say(text: str) -> None:
        print(f"{text} ({time.monotonic() - began:.1f} s)", flush=True)

    def end(*_: object) -> None:
        sys.exit(f"Rollcall ended: {failures[0]}" if failures else 0)

    # Before the workers run (while migrating, seeding), SIGTERM is handled like Ctrl-C.
    signal.signal(signal.SIGTERM, end)
    with exit_on_error("Rollcall did not start", MigrationError):
        try:
            settings = load_settings()
            configure_logs(settings)
            with _bound(settings) as listening, bootstrap(settings, say, on_give_up) as database:
                code = _serve(settings, database, listening)
        except KeyboardInterrupt:
            code = 0
    if failures:
        end()
    sys.exit(code)


if __name__ == "__main__":
    main()
