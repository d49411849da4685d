"""Ends commands that fail for a foreseeable reason with one line on standard error instead of a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from config import ConfigurationError
from db.postgres_binaries import StartError

__all__ = ["describe_database_error", "exit_on_error"]


@contextmanager
def exit_on_error(prefix: str, *expected: type[Exception]) -> Iterator[None]:
    """Exits with status 1 and the message `prefix: reason` on a foreseeable error in the block.

    These are invalid settings, a PostgreSQL that does not start or respond, operating system errors, and the `expected` classes.
    """
    described: tuple[type[Exception], ...] = (ConfigurationError, StartError, *expected)
    try:
        yield
    except described as error:
        sys.exit(f"{prefix}: {error}")
    except psycopg.Error as error:
        sys.exit(f"{prefix}: {describe_database_error(error)}")
    except OSError as error:
        sys.exit(f"{prefix}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def describe_database_error(error: psycopg.Error) -> str:
    """Describes an error of psycopg: whether the database was reached, and the database's own message."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return f"the database cannot be reached: {str(error).strip()}"
    # Without DETAIL, which contains the values of rows.
    messages = [each for each in (error.diag.message_primary, error.diag.message_hint) if each] or [str(error).strip()]
    return f"the database reports: {' '.join(messages)} (SQLSTATE {error.sqlstate})"
