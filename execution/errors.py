"""Errors as clients see them: expected ones with a code, all others masked with an id that is in the log."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError

__all__ = ["ErrorWriter", "Refusal"]

_log = structlog.get_logger("rollcall.errors")


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of the server
    """An error that was foreseen: its message is for the client, its `code` goes into `extensions.code`, and so does what else is given."""

    def __init__(self, code: str, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.extensions = {"code": code, **extensions}


# Turns an exception of another room (a lost connection, a broken constraint) into a refusal; None: not one of its own.
Translator = Callable[[BaseException], Refusal | None]


class ErrorWriter:
    """Writes errors for the wire. What nobody foresaw is logged with an id, and the client is told the id and nothing else."""

    def __init__(self, translate: Translator = lambda _: None) -> None:
        self._translate = translate

    def refusal(self, error: BaseException) -> Refusal | None:
        """The refusal that an exception is or stands for; None when it was not foreseen."""
        return error if isinstance(error, Refusal) else self._translate(error)

    def write_all(self, errors: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
        return [self.write(error, request_id) for error in errors]

    def write(self, error: GraphQLError, request_id: str) -> dict[str, Any]:
        """One GraphQL error as JSON: message, locations, path, extensions with a code."""
        written: dict[str, Any] = {"message": error.message}
        if error.locations:
            written["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
        if error.path is not None:
            written["path"] = list(error.path)
        original = _original(error)
        if original is None:
            # graphql-core's own: it failed to coerce an argument or variable, or a value it was given.
            code = (error.extensions or {}).get("code") or ("BAD_USER_INPUT" if error.path is None else None)
            if code is None:
                return written | self._mask(error, request_id)
            return written | {"extensions": {"code": code}}
        refusal = self.refusal(original)
        if refusal is None:
            return written | self._mask(original, request_id)
        return written | {"message": refusal.message, "extensions": refusal.extensions}

    def _mask(self, error: BaseException, request_id: str) -> dict[str, Any]:
        identifier = uuid4().hex
        _log.error("unforeseen error", error_id=identifier, request_id=request_id, exc_info=error)
        return {
            "message": f"Something went wrong on our side. It is in the log under {identifier}.",
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "id": identifier},
        }


def _original(error: GraphQLError) -> BaseException | None:
    """The exception that a resolver raised, under however many GraphQL errors."""
    found: BaseException | None = error.original_error
    while isinstance(found, GraphQLError):
        found = found.original_error
    return found
