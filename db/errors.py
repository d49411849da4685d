"""Translates PostgreSQL's errors into errors that people can act on: broken constraints, lost connections, statements that took too long."""

from dataclasses import dataclass

import asyncpg

from db.connections import is_disk_full
from db.constraint_messages import CONSTRAINTS, foreign_key
from db.naming import camel
from db.pool import CommitLostError, PoolTimeoutError
from db.row_locks import RowLockedError

__all__ = ["DomainError", "constraint_error", "failure", "out_of_range", "required", "too_fine"]


_OUTAGES = (
    ConnectionError,
    FileNotFoundError,  # the embedded server's socket is gone
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ReadOnlySQLTransactionError,  # connected to a standby: the primary has moved
)
_TOO_LONG = (asyncpg.QueryCanceledError, asyncpg.IdleInTransactionSessionTimeoutError, TimeoutError)
_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    RowLockedError,
    asyncpg.InvalidCachedStatementError,  # a table changed during the transaction, which is rolled back
)


@dataclass(frozen=True, slots=True)
class DomainError:
    """A violated rule: a `code` for programs, the `field` of the record (camelCase; None if it is not about one field), a `message` for people."""

    code: str
    field: str | None
    message: str


def constraint_error(error: BaseException) -> DomainError | None:
    """Returns the rule that a statement violated, or None if the error is not about a constraint of the schema."""
    if not isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return None
    known = CONSTRAINTS.get(error.constraint_name or "") or foreign_key(error.constraint_name or "", error.table_name or "")
    if known is not None:
        return DomainError(*known)
    if error.constraint_name and error.constraint_name.endswith("_pkey"):
        return DomainError("TAKEN", "clientId", "Another record has this id already.")
    if isinstance(error, asyncpg.NotNullViolationError):
        return required(error.column_name or "")
    return None


def required(column: str) -> DomainError:
    """Returns the error for a missing value in a NOT NULL column."""
    return DomainError("REQUIRED", camel(column), "A value is required.")


def out_of_range(column: str) -> DomainError:
    """Returns the error for a value that the type of its column cannot hold."""
    return DomainError("OUT_OF_RANGE", camel(column), "The value is out of range.")


def too_fine(column: str, decimals: int) -> DomainError:
    """Returns the error for a number with more decimals than its column stores."""
    return DomainError("INVALID", camel(column), f"Must have at most {decimals} decimals. Numbers are never rounded silently.")


def failure(error: BaseException) -> tuple[str, str] | None:
    """Returns the code and the message of an error of the database itself, or None for other errors."""
    if isinstance(error, PoolTimeoutError):
        return "POOL_TIMEOUT", "The server is busy: no database connection became free in time. Try again."
    if isinstance(error, CommitLostError):
        return "OUTCOME_UNKNOWN", (
            "The connection to the database was lost while saving, and it is unknown whether the change was saved."
            " Check before you send it again; with an idempotency key you can safely send it again."
        )
    if is_disk_full(error):
        return "STORAGE_FULL", "The database's disk is full, and nothing was saved. Try again later."
    if isinstance(error, _TOO_LONG):
        return "QUERY_TIMEOUT", "The query took too long and was cancelled. Request less data at once."
    if isinstance(error, _CONFLICTS):
        return "CONFLICT", "Another request changed the same record at the same time. Try again."
    # asyncpg raises InterfaceError for misuse of its API too: that is a bug, and must not be reported as an outage.
    if isinstance(error, _OUTAGES) or (isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)):
        return "DATABASE_UNAVAILABLE", "The database cannot be reached at the moment. Try again."
    if isinstance(error, asyncpg.DataError):
        return "BAD_USER_INPUT", "A value is out of range, or contains characters that cannot be stored."
    return None
