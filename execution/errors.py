"""Writes errors for clients: expected ones with a code, all others masked, with an id under which the log has them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import uuid4

import structlog
from graphql import FieldNode, GraphQLError

from execution.opaque_types import JSONData

__all__ = ["ErrorWriter", "Refusal", "internal_error_message"]

_log = structlog.get_logger("rollcall.errors")


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of the server
    """An expected error. Its message is for the client; its `code` and all other keyword arguments go into the error's `extensions`."""

    def __init__(self, code: str, message: str, **extensions: JSONData) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.extensions = {"code": code, **extensions}


def internal_error_message(identifier: str) -> str:
    """Returns what a client is shown about an unexpected error that was logged with this id."""
    return f"An internal error occurred. Report it to the operator of this server with the id {identifier}."


# Turns an exception of another room (a lost connection, a broken constraint) into a refusal; None if it does not know the exception.
Translator: TypeAlias = Callable[[BaseException], Refusal | None]


class ErrorWriter:
    """Writes errors as JSON. An unexpected one is logged with an id, and the client gets nothing but the id."""

    def __init__(self, translate: Translator = lambda _: None) -> None:
        self._translate = translate

    def refusal(self, error: BaseException) -> Refusal | None:
        """Returns the refusal that an exception is, or is translated to; None if it is unexpected."""
        return error if isinstance(error, Refusal) else self._translate(error)

    def write_all(self, errors: Sequence[GraphQLError], request_id: str, *, code: str | None = None) -> list[dict[str, JSONData]]:
        """Returns errors as JSON, each as `write` does. Afterwards they have no tracebacks."""
        written = [self.write(error, request_id, code=code) for error in errors]
        for error in errors:
            _drop_frames(error)
        return written

    def write(self, error: GraphQLError, request_id: str, *, code: str | None = None) -> dict[str, JSONData]:
        """Returns one GraphQL error as JSON: message, locations, path, extensions with a code.

        `code` is given for errors in what the client sent: a document that does not parse or is not valid.
        """
        written: dict[str, JSONData] = {"message": error.message}
        if error.locations:
            written["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
        if error.path is not None:
            written["path"] = list(error.path)
        original = _original(error)
        refusal = None if original is None else self.refusal(original)
        if refusal is not None:
            return written | {"message": refusal.message, "extensions": refusal.extensions}
        if code is None and _is_about_input(error):
            code = "BAD_USER_INPUT"
        # A scalar raises ValueError for a value that it cannot parse; any other exception is a fault of its own, and not for clients.
        if code is not None and (original is None or isinstance(original, ValueError)):
            return written | {"extensions": {"code": code}}
        if original is None and error.extensions and "code" in error.extensions:
            return written | {"extensions": dict(error.extensions)}
        return written | self.mask(original or error, request_id)

    def mask(self, error: BaseException, request_id: str, **details: str) -> dict[str, JSONData]:
        """Logs an unexpected error under a new id, with the details. Returns the error for the client, which contains nothing but this id."""
        identifier = uuid4().hex
        _log.error("unforeseen error", error_id=identifier, request_id=request_id, **details, exc_info=error)
        return {
            "message": internal_error_message(identifier),
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "id": identifier},
        }


def _is_about_input(error: GraphQLError) -> bool:
    """Whether graphql-core could not coerce a variable or an argument: such an error has no path, or its nodes are values and not fields."""
    return error.path is None or (bool(error.nodes) and not any(isinstance(each, FieldNode) for each in error.nodes or ()))


def _drop_frames(error: BaseException | None) -> None:
    """Drops the frames of an exception that has been written, and of those that led to it.

    The frames refer to the exception, and hold the request: it would wait for the garbage collector.
    """
    while error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        _drop_frames(error.__context__)
        _drop_frames(error.__cause__)
        error = error.original_error if isinstance(error, GraphQLError) else None


def _original(error: GraphQLError) -> BaseException | None:
    """Returns the exception that a resolver raised, out of any number of GraphQLErrors around it."""
    found: BaseException | None = error.original_error
    while isinstance(found, GraphQLError):
        found = found.original_error
    return found
