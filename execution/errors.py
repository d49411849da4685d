"""Errors as clients see them: expected ones with a code, all others masked with an id that is in the log."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import structlog
from graphql import FieldNode, GraphQLError

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

    def write(self, error: GraphQLError, request_id: str, *, code: str | None = None) -> dict[str, Any]:
        """One GraphQL error as JSON: message, locations, path, extensions with a code.

        `code` is for errors that are known to be about what the client sent: a document that does not parse or is not valid.
        """
        written: dict[str, Any] = {"message": error.message}
        if error.locations:
            written["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
        if error.path is not None:
            written["path"] = list(error.path)
        original = _original(error)
        refusal = None if original is None else self.refusal(original)
        if refusal is not None:
            return written | {"message": refusal.message, "extensions": refusal.extensions}
        if code is None and _about_input(error):
            code = "BAD_USER_INPUT"
        # A scalar says that it can't read a value by a ValueError; whatever else it raised is its own fault, and nobody's business.
        if code is not None and (original is None or isinstance(original, ValueError)):
            return written | {"extensions": {"code": code}}
        if original is None and error.extensions and "code" in error.extensions:
            return written | {"extensions": dict(error.extensions)}
        return written | self.mask(original or error, request_id)

    def mask(self, error: BaseException, request_id: str) -> dict[str, Any]:
        """What a client is told of an error that nobody foresaw: the id under which it is logged."""
        identifier = uuid4().hex
        _log.error("unforeseen error", error_id=identifier, request_id=request_id, exc_info=error)
        return {
            "message": f"Something went wrong on our side. It is in the log under {identifier}.",
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "id": identifier},
        }


def _about_input(error: GraphQLError) -> bool:
    """Whether graphql-core could not read a variable or an argument: such an error is at no field, or points at a value and not at a field."""
    return error.path is None or (bool(error.nodes) and not any(isinstance(each, FieldNode) for each in error.nodes or ()))


def _original(error: GraphQLError) -> BaseException | None:
    """The exception that a resolver raised, under however many GraphQL errors."""
    found: BaseException | None = error.original_error
    while isinstance(found, GraphQLError):
        found = found.original_error
    return found
