"""Logs: lines for people in development, JSON in production, on standard error."""

import logging
import sys
from contextlib import suppress
from contextvars import ContextVar

import structlog

from config import Settings

__all__ = ["REQUEST_ID", "configure_logs"]

# The id of the request that is being answered. It is in every line that is logged meanwhile.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

# structlog writes the values of local variables beside each frame unless told not to: passwords and tokens are among them.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


class _StandardError:
    """Standard error, where a line that cannot be written is lost: it may be a file on a full disk, and must end no request and no thread."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def _add_request_id(_: object, __: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        line.setdefault("request_id", request_id)
    return line


def configure_logs(settings: Settings) -> None:
    """Sets structlog up for this process, and sends what libraries log the same way."""
    level = getattr(logging, settings.log_level.upper())
    renderer: list[structlog.types.Processor] = (
        [_TRACEBACKS, structlog.processors.JSONRenderer()]
        if settings.environment == "production"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[
            _add_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=_StandardError()),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
