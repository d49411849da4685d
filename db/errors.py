"""What PostgreSQL says, as what a person can act on: a broken constraint by its name, a lost connection, a statement that took too long."""

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
    asyncpg.ReadOnlySQLTransactionError,  # a standby answers: the primary has moved
)
_TOO_LONG = (asyncpg.QueryCanceledError, asyncpg.IdleInTransactionSessionTimeoutError, TimeoutError)
_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    RowLockedError,
    asyncpg.InvalidCachedStatementError,  # a table changed while a transaction was under way: nothing of it stays
)


@dataclass(frozen=True, slots=True)
class DomainError:
    """A rule that was broken: a `code` for programs, the `field` of the record (camelCase, None for no one field), a `message` for people."""

    code: str
    field: str | None
    message: str


def constraint_error(error: BaseException) -> DomainError | None:
    """The rule that a statement broke; None when the error is not about a constraint of ours."""
    if not isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return None
    known = CONSTRAINTS.get(error.constraint_name or "") or foreign_key(error.constraint_name or "", error.table_name or "")
    if known is not None:
        return DomainError(*known)
    if error.constraint_name and error.constraint_name.endswith("_pkey"):
        return DomainError("TAKEN", "clientId", "Another record has this id.")
    if isinstance(error, asyncpg.NotNullViolationError):
        return required(error.column_name or "")
    return None


def required(column: str) -> DomainError:
    """A column that must have a value and has none."""
    return DomainError("REQUIRED", camel(column), "Must be given.")


def out_of_range(column: str) -> DomainError:
    """A column whose type cannot hold what was given."""
    return DomainError("OUT_OF_RANGE", camel(column), "Is out of range.")


def too_fine(column: str, decimals: int) -> DomainError:
    """A number with more decimals than its column keeps."""
    return DomainError("INVALID", camel(column), f"Has {decimals} decimals at most: nothing is rounded silently.")


def failure(error: BaseException) -> tuple[str, str] | None:
    """A code and a message for trouble with the database itself; None for anything else."""
    if isinstance(error, PoolTimeoutError):
        return "POOL_TIMEOUT", "The server is busy: no database connection became free in time. Try again."
    if isinstance(error, CommitLostError):
        known = "The database was lost while this was being saved, and it is not known whether it was."
        return "OUTCOME_UNKNOWN", f"{known} Look before you send it again. With an idempotency key it may be sent again."
    if is_disk_full(error):
        return "STORAGE_FULL", "The database's disk is full, and nothing of this was saved. Try again later."
    if isinstance(error, _TOO_LONG):
        return "QUERY_TIMEOUT", "It took too long and was stopped. Ask for less at once."
    if isinstance(error, _CONFLICTS):
        return "CONFLICT", "Somebody else changed the same at the same moment. Try again."
    # asyncpg says InterfaceError for its misuse as well: that is a bug, and not to be told as an outage.
    if isinstance(error, _OUTAGES) or (isinstance(error, asyncpg.InterfaceError) and "clos" in str(error)):
        return "DATABASE_UNAVAILABLE", "The database cannot be reached at the moment. Try again."
    if isinstance(error, asyncpg.DataError):
        return "BAD_USER_INPUT", "A value is out of range, or has characters that cannot be stored."
    return None
