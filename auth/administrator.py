"""Creates the first administrator of a school from the command line, before anybody can sign in.

    python -m auth.administrator --email head@school.example [--first-name Ada --last-name Byron] [--generate-password] [--force]

Prompts for a password, or generates one with --generate-password. Without a terminal it prints a one-time password reset token.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from getpass import getpass
from secrets import token_urlsafe
from typing import Any

import asyncpg
import psycopg

from auth.clock import Clock
from auth.opaque_tokens import TokenType, generate_token, hash_token
from auth.passwords import Passwords, password_problem
from config import ConfigurationError, load_settings
from db.cli import describe_database_error
from db.constraint_check import constraint_violations
from db.embedded import StartError, database_url
from db.migrate import schema_state
from db.row_writes import to_json
from db.sql_catalog import queries
from rules.text import normal_text, text_problem

__all__ = ["AdministratorError", "make_administrator"]

_RESET_LIFETIME = timedelta(hours=24)
_TRIES = 3


class AdministratorError(Exception):
    """Raised when no administrator was created. The message says why, and what to do."""


async def make_administrator(
    connection: Any, email: str, name: tuple[str, str], password: str | None, *, force: bool = False, clock: Clock | None = None
) -> str | None:
    """Creates an active administrator with this e-mail address. `name` (first, last) is used if the account does not exist yet.

    Sets the password and returns None; without a password returns a password reset token that is valid once, for 24 hours. `force` allows
    creating a further administrator, and turning an existing account into one. Raises AdministratorError; nothing has changed then.
    """
    now = (clock or Clock()).now()
    password_hash = None
    if password is not None:
        if (problem := password_problem(password, email)) is not None:
            raise AdministratorError(problem[1])
        password_hash = await _hash(password)
    email, name = normal_text(email), (normal_text(name[0]), normal_text(name[1]))
    for what, text in (("e-mail address", email), ("first name", name[0]), ("last name", name[1])):
        if (unfit := text_problem(text)) is not None:
            raise AdministratorError(f"The {what} is not valid. {unfit}")
    async with connection.transaction():
        if not force and await connection.fetchval(*queries.administrator_exists.bind()):
            raise AdministratorError("An administrator exists already and can create others. Use --force to create another one here.")
        account = await connection.fetchrow(*queries.account_by_email.bind(email=email, network=None, known_since=now))
        if account["id"] is None:
            values: dict[str, Any] = {"email": email, "first_name": name[0], "last_name": name[1]}
            broken = await constraint_violations(connection, "users", to_json({"role": "ADMIN", **values}), None)
            if broken:
                raise AdministratorError(" ".join(f"{each.field}: {each.message}" for each in broken))
            user_id = await connection.fetchval(*queries.add_administrator.bind(**values))
        elif force:
            user_id = account["id"]
            await connection.execute(*queries.make_administrator.bind(user_id=user_id))
        else:
            raise AdministratorError(f"{account['email']} has an account with another role. Use --force to make it an administrator.")
        await connection.execute(*queries.withdraw_password_resets.bind(user_id=user_id, now=now))
        if password_hash is None:
            token = generate_token(TokenType.PASSWORD_RESET)
            reset: dict[str, Any] = {"token_hash": hash_token(token), "created_by": None, "expires_at": now + _RESET_LIFETIME}
            await connection.execute(*queries.add_password_reset.bind(user_id=user_id, now=now, **reset))
            return token
        await connection.execute(*queries.give_password.bind(user_id=user_id, password_hash=password_hash, now=now))
        await connection.execute(*queries.end_sessions_of_user.bind(user_id=user_id, because="PASSWORD_CHANGED", kept=None, now=now))
        return None


async def _hash(password: str) -> str:
    passwords = Passwords(threads=1)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


def _ask(email: str, ask: Callable[[str], str] = getpass) -> str:
    """Prompts for an acceptable password twice. Raises AdministratorError after three attempts."""
    for _ in range(_TRIES):
        password = ask(f"Password for {email}: ")
        problem = password_problem(password, email)
        if problem is not None:
            print(problem[1], file=sys.stderr)
        elif ask("Repeat the password: ") == password:
            return password
        else:
            print("The passwords do not match.", file=sys.stderr)
    raise AdministratorError("No password was set, and no administrator was created.")


async def _connect_and_make(url: str, options: argparse.Namespace, password: str | None) -> str | None:
    connection = await asyncpg.connect(url, server_settings={"application_name": "rollcall administrator"})
    try:
        state = await schema_state(connection)
        if state.refusal or state.pending:
            raise AdministratorError(state.refusal or "The database has pending migrations. Run `make migrate` first.")
        return await make_administrator(
            connection, options.email.strip(), (options.first_name, options.last_name), password, force=options.force
        )
    finally:
        await connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. Returns 0 if an administrator was created, or 1 after printing the reason to standard error."""
    parser = argparse.ArgumentParser(prog="python -m auth.administrator", description="Creates the first administrator of a school.")
    parser.add_argument("--email", required=True, help="the e-mail address to sign in with")
    parser.add_argument("--first-name", default="School", help="the first name, for a new account")
    parser.add_argument("--last-name", default="Administrator", help="the last name, for a new account")
    parser.add_argument("--generate-password", action="store_true", help="generate a password and print it")
    parser.add_argument("--force", action="store_true", help="even if an administrator exists, or the account has another role")
    options = parser.parse_args(arguments)
    try:
        password = None
        if options.generate_password:
            password = token_urlsafe(15)
        elif sys.stdin.isatty():
            password = _ask(options.email)
        with database_url(load_settings(), say=lambda text: print(text, file=sys.stderr)) as url:
            token = asyncio.run(_connect_and_make(url, options, password))
    except psycopg.Error as error:
        print(describe_database_error(error), file=sys.stderr)
        return 1
    except (AdministratorError, ConfigurationError, StartError, OSError, asyncpg.PostgresError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.email} is an administrator.")
    if options.generate_password:
        print(f"Password: {password}")
    if token is not None:
        print(f"Password reset token, valid once, for 24 hours: {token}")
        print("Set a password with the mutation resetPassword.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
