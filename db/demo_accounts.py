"""Finds accounts with the public demo password, which must not be in a production database."""

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["DEMO_PASSWORD", "demo_accounts", "demo_password_hash"]

DEMO_PASSWORD = "rollcall-demo"  # noqa: S105 - public, printed at every start
# A fixed salt makes the seed reproducible. The password is public anyway.
_SALT = b"rollcall-demo-sa"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def demo_password_hash() -> str:
    """Returns the password hash of seeded accounts."""
    return _HASHER.hash(DEMO_PASSWORD, salt=_SALT)


def demo_accounts(url: str) -> list[str]:
    """Returns the e-mail addresses of active accounts with the demo password: seeded ones, and those of the demo school with a newer hash."""
    seeded = demo_password_hash()
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT email, password_hash FROM users WHERE is_active AND password_hash IS NOT NULL"
            " AND (password_hash = %s OR lower(email) LIKE '%%@demo.school') ORDER BY email",
            [seeded],
        ).fetchall()
    return [email for email, kept in rows if kept == seeded or _opens(kept)]


def _opens(password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, DEMO_PASSWORD)
    except (VerificationError, InvalidHashError):
        return False
