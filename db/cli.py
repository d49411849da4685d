"""How a command ends that cannot do its work: with one line that says why, and no traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from config import ConfigurationError
from db.postgres_binaries import StartError

__all__ = ["describe_database_error", "exit_on_error"]


@contextmanager
def exit_on_error(beginning: str, *foreseen: type[Exception]) -> Iterator[None]:
    """Ends the process with `beginning: why` and status 1 for wrong settings, a PostgreSQL that does not start or answer, and what is `foreseen`."""
    named: tuple[type[Exception], ...] = (ConfigurationError, StartError, *foreseen)
    try:
        yield
    except named as error:
        sys.exit(f"{beginning}: {error}")
    except psycopg.Error as error:
        sys.exit(f"{beginning}: {describe_database_error(error)}")
    except OSError as error:
        sys.exit(f"{beginning}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def describe_database_error(error: psycopg.Error) -> str:
    """An error of psycopg's in words: whether the database was reached, and what it said."""
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        return f"the database cannot be reached: {str(error).strip()}"
    # Without DETAIL, which has the values of rows in it.
    said = [each for each in (error.diag.message_primary, error.diag.message_hint) if each] or [str(error).strip()]
    return f"the database says: {' '.join(said)} (SQLSTATE {error.sqlstate})"
