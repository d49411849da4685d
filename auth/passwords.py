"""Checks the strength of passwords, and hashes and verifies them with Argon2id outside the event loop."""

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "Passwords", "password_problem"]

T = TypeVar("T")

MIN_LENGTH = 10
MAX_LENGTH = 128
# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# At this niceness a hash gets a tenth of the processor time that the event loop or PostgreSQL gets: three sign-ins a second on a saturated processor.
_NICE = 5
# Normalization holds the GIL. It takes linear time, but quadratic time for unordered combining marks (4 ms at this length). An acceptable password
# never has more code points than this before normalization.
_MAX_INPUT_LENGTH = 8 * MAX_LENGTH
_TOO_LONG = ("PASSWORD_TOO_LONG", f"The password must have at most {MAX_LENGTH} characters.")
_COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())


def password_problem(password: str, email: str | None) -> tuple[str, str] | None:
    """Returns why a password is not acceptable, as (code, message), or None if it is.

    Checks the length and a list of common passwords; there are no rules about character classes (NIST SP 800-63B, 5.1.1.2).
    Lengths are in Unicode code points.
    """
    if len(password) > _MAX_INPUT_LENGTH:
        return _TOO_LONG
    password = _normal(password)
    folded = password.casefold()
    if len(password) < MIN_LENGTH:
        return "PASSWORD_TOO_SHORT", f"The password must have at least {MIN_LENGTH} characters."
    if len(password) > MAX_LENGTH:
        return _TOO_LONG
    if email is not None and folded in (email.casefold(), email.casefold().partition("@")[0]):
        return "PASSWORD_IS_EMAIL", "The password must not be the e-mail address or the part of it before the @."
    if folded in _COMMON or len(set(folded)) < 3:
        return "PASSWORD_TOO_COMMON", "This password is too common and easily guessed. Choose another one."
    return None


class Passwords:
    """Hashes and verifies passwords in a pool of `threads` threads. Argon2 releases the GIL, so the event loop keeps running.

    The threads have a lower priority than the event loop, so hashing mostly uses idle processor time. Callers must bound how many calls wait
    (auth/sign_in_gate.py). Each running hash uses 19 MiB.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_lower_priority)
        # Verified against if there is no account, so that both cases take the same time.
        self._dummy_hash = _HASHER.hash(token_urlsafe(32))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Returns the encoded Argon2id hash, which includes its parameters and salt."""
        return await self._run(lambda: _HASHER.hash(_bytes(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Returns whether the password matches the hash. Without a hash (no account, or no password set): False, after the same time."""
        if len(password) > _MAX_INPUT_LENGTH:
            password_hash, password = None, ""

        def verify() -> bool:
            try:
                return _HASHER.verify(password_hash or self._dummy_hash, _bytes(password)) and password_hash is not None
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(verify)

    def is_outdated(self, password_hash: str) -> bool:
        """Returns whether a hash has outdated parameters and should be replaced at the next sign-in."""
        return _HASHER.check_needs_rehash(password_hash)

    async def _run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def _lower_priority() -> None:
    # On Linux priorities are per thread; elsewhere this would slow down the whole process.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + _NICE, 19))


def _normal(password: str) -> str:
    # Different keyboards produce composed or decomposed characters for the same password (NIST SP 800-63B requires NFKC or NFKD).
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode(errors="surrogatepass")
