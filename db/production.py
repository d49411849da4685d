"""Guards production databases. A database used by a production server is marked, so that commands recognise it whatever their `ENVIRONMENT`."""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from config import ConfigurationError, Settings
from db.demo_accounts import demo_accounts

__all__ = ["ProductionError", "is_production", "mark_production", "refuse_demo_accounts", "refuse_production"]

_MARKED = """
SELECT EXISTS (
    SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database() AND s.setrole = 0 AND 'rollcall.environment=production' = ANY (s.setconfig)
)
"""


class ProductionError(ConfigurationError):
    """Raised when a command or a start is refused in production. The message says why, and what to do."""


def is_production(connection: "psycopg.Connection[Any]", settings: Settings) -> bool:
    """Returns whether ENVIRONMENT is production, or a production server has used this database."""
    return settings.environment == "production" or connection.execute(_MARKED).fetchone() == (True,)


def mark_production(url: str, say: Callable[[str], None]) -> None:
    """Marks the database as a production database, with a setting that `ALTER DATABASE … RESET rollcall.environment` removes."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(_MARKED).fetchone() == (True,):
            return
        name = sql.Identifier(connection.info.dbname)
        try:
            connection.execute(sql.SQL("ALTER DATABASE {} SET rollcall.environment = 'production'").format(name))
        except psycopg.errors.InsufficientPrivilege:
            say(
                "The database could not be marked as a production database, because another role owns it."
                " Set ENVIRONMENT=production for every command that uses it."
            )


def refuse_production(url: str, settings: Settings, what: str) -> None:
    """Raises ProductionError if this is a production database. `what` names the refused command in the message."""
    with psycopg.connect(url, autocommit=True) as connection:
        if is_production(connection, settings):
            raise ProductionError(f"{what} does not run on a production database")


def refuse_demo_accounts(url: str) -> None:
    """Raises ProductionError if an active account has the public demo password."""
    found = demo_accounts(url)
    if found:
        raise ProductionError(
            f"ENVIRONMENT is production, but the database has accounts with the public demo password: {', '.join(found)}."
            " Use a database without them, or close them (docs/operations.md, “Demo accounts”)."
        )
